"""What a configuration amounts to, in a paragraph."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from anchorwatch.settings.describe import settings_of
from anchorwatch.settings.units import format_duration

if TYPE_CHECKING:
    from anchorwatch.settings.models import Baseline, Model, Settings, Windows

_KINDS = {"numeric": "numeric", "category": "by category"}


def summarise(settings: Settings) -> str:
    """Return what is read, watched, compared and written, one sentence a model, wrapped for a terminal."""
    count = len(settings.models)
    broker = f"Kafka at {settings.kafka.bootstrap_servers}" if settings.kafka else "files (no broker is named)"
    out = settings.outputs
    said = [f"Watches {count} {'model' if count == 1 else 'models'} on {broker}, state in {settings.store}."]
    said += [_model(name, model) for name, model in settings.models.items()]
    said.append(f"Alerts go to {out.alerts}, retrain triggers to {out.retrain}, dead letters to {out.dead_letters}.")
    return "\n".join(textwrap.fill(sentence, 100, subsequent_indent="  ") for sentence in said)


def _model(name: str, model: Model) -> str:
    stream = model.predictions
    kinds = Counter(feature.kind for feature in stream.features.values())
    features = " and ".join(f"{count} {_KINDS[kind]}" for kind, count in sorted(kinds.items(), reverse=True))
    parts = [
        f"{stream.prediction.kind} predictions from {stream.topic}",
        f"features: {features}" if features else "no features",
        _labels(model),
        *([f"also by {', '.join(model.segments)}"] if model.segments else []),
        f"compared with {_baseline(model.baseline)}",
        f"windows of {_windows(model.windows)}",
        *_switched_off(model),
        _retrain(model),
    ]
    return f"{name}: {'; '.join(parts)}."


def _labels(model: Model) -> str:
    if model.labels is None:
        return "no labels, so accuracy is not watched"
    return f"labels from {model.labels.topic}, waited for {format_duration(model.labels.wait)}"


def _baseline(baseline: Baseline) -> str:
    if baseline.first is not None:
        return f"the first {baseline.first:,} predictions of each version"
    return f"the baseline {baseline.name}" if baseline.name is not None else f"the baseline in {baseline.file}"


def _windows(windows: Windows) -> str:
    limits = [f"{windows.size:,} events"] if windows.size is not None else []
    limits += [format_duration(windows.time)] if windows.time is not None else []
    panes = f", sliding over {windows.panes} panes" if windows.panes > 1 else ""
    return " or ".join(limits) + panes


def _switched_off(model: Model) -> list[str]:
    off = [
        setting.name
        for setting in settings_of(type(model.monitors)).values()
        if not getattr(model.monitors, setting.attribute).enabled
    ]
    return [f"switched off: {', '.join(off)}"] if off else []


def _retrain(model: Model) -> str:
    if not model.retrain:
        return "never asks for a retraining"
    asked = [f"{' or '.join(policy.when)}{' (dry run)' if policy.dry_run else ''}" for policy in model.retrain]
    return "asks for a retraining when " + ", or ".join(dict.fromkeys(asked))
