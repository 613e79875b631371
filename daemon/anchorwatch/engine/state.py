"""What is remembered of one model: a value that moves between hosts as bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import msgspec

from anchorwatch.decide.decision import Decisions
from anchorwatch.engine.baseline import Baseline
from anchorwatch.engine.compared import compared_of, compared_parts
from anchorwatch.engine.feeds import Feeds
from anchorwatch.engine.join import Join
from anchorwatch.engine.pending import Pending
from anchorwatch.engine.performance import Performance, figures_shown
from anchorwatch.engine.plain import pack, unpack
from anchorwatch.engine.revisions import Revisions
from anchorwatch.engine.shadow import Shadow, restored, written
from anchorwatch.engine.statuses import Waiting
from anchorwatch.engine.track import Track
from anchorwatch.engine.version import Version, attach
from anchorwatch.engine.watermark import START, Watermark
from anchorwatch.errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.engine.rivals import Rivals
    from anchorwatch.engine.rollouts import Rollouts
    from anchorwatch.engine.runs import Run
    from anchorwatch.engine.watch import Watch

SCHEMA = 3


@dataclass(slots=True)
class State:
    """Everything remembered of one model between two batches.

    Attributes
    ----------
    mark, pending
        How far event time has come, and the events that wait for it.
    join
        Predictions and labels that wait for each other.
    versions
        In order of their first prediction; the join knows them by their place.
    streak
        The version of the newest prediction, and how many came in a row.
    decisions
        Alerts, incident and retrain policies.
    counts
        How many records went which way, by name; cumulative.
    rivals
        Champion and challenger; None where none are compared.
    rollouts
        Versions that followed one another; None where they are not compared.
    heard, statuses
        Newest event time of reports on retrainings by partition, ns, and the reports that wait for event time.
    outside
        Ids of predictions that are not in the sample that is joined, remembered against duplicates.
    shadow
        Labelled predictions with their features; None where nobody would ask for them.
    """

    mark: Watermark
    pending: Pending
    join: Join
    versions: list[Version]
    streak: tuple[int, int]
    decisions: Decisions
    counts: dict[str, int] = field(default_factory=dict)
    rivals: Rivals | None = None
    rollouts: Rollouts | None = None
    heard: dict[str, int] = field(default_factory=dict)
    statuses: tuple[Waiting, ...] = ()
    outside: Join = field(default_factory=Join)
    shadow: Shadow | None = None

    def copy(self) -> Self:
        """Return a copy whose versions may be replaced; what they hold is shared until it is copied itself."""
        return replace(self, versions=list(self.versions), counts=dict(self.counts))

    def count(self, name: str, n: int) -> None:
        """Add to a count."""
        if n:
            self.counts[name] = self.counts.get(name, 0) + n

    def accounting(self) -> dict[str, int]:
        """Return every count by name, what waits included: the input records add up over them.

        predictions = late_predictions + too_many_versions + duplicate_predictions + pending_predictions + matched +
        waiting_predictions + expired_predictions + sampled_out_predictions

        labels = matched + duplicate_labels + revised_labels + late_labels + orphan_labels + waiting_labels +
        pending_labels + sampled_out_labels

        statuses = all status_* + pending_statuses

        records read = predictions + labels + statuses + all dead_* + all skipped_*, where none is both a prediction and
        its label (one topic for both). `retimed_labels` are labels that came late in their log: they count as others.
        `mirrored_labels` are labels that count a second time, for a challenger: they add to the left of the second sum.
        """
        waiting = {f"waiting_{name}": n for name, n in self.join.waiting().items()}
        pending = {"pending_predictions": len(self.pending.predictions), "pending_labels": len(self.pending.labels)}
        if self.statuses:
            pending["pending_statuses"] = len(self.statuses)
        return {**self.counts, **self.join.counts, **waiting, **pending}


def fresh(watch: Watch) -> State:
    """Return the state of a model that has seen nothing."""
    shadow = None if watch.keeping is None else Shadow()
    return State(START, Pending.empty(watch.shape), Join(), [], (-1, 0), Decisions(), shadow=shadow)


def to_parts(watch: Watch, state: State, before: State | None = None) -> dict[str, bytes | None]:
    """Return the state as named bytes.

    Parameters
    ----------
    watch
        Whose state it is.
    state
        What to write.
    before
        The state that was written last; what is the same object in both is left out, and runs of the join that are
        gone are given as None.
    """
    head = {
        "schema": SCHEMA,
        "fingerprint": watch.fingerprint,
        "newest": dict(sorted(state.mark.newest.items())),
        "frontier": state.mark.frontier,
        "streak": list(state.streak),
        "counts": dict(sorted(state.counts.items())),
        "versions": [
            {
                "name": v.name,
                "seen": v.seen,
                "baseline": None if v.baseline is None else v.baseline.id,
                "performance": v.performance is not None,
                "revised": list(v.revised),
            }
            for v in state.versions
        ],
        "join": state.join.to_plain(),
        "outside": state.outside.to_plain(),
        "decisions": state.decisions.to_plain(),
        "heard": dict(sorted(state.heard.items())),
        "statuses": [list(waiting) for waiting in state.statuses],
        "accounting": dict(sorted(state.accounting().items())),
        "figures": figures_shown(state.versions),
        "shadow": None if state.shadow is None else state.shadow.to_plain(),
    }
    parts: dict[str, bytes | None] = {"head": pack(head), "pending": pack(state.pending.to_plain())}
    parts |= compared_parts(state, before)
    runs, old = _runs(state), {} if before is None else _runs(before)
    parts |= {name: pack(run.to_plain()) for name, run in runs.items() if old.get(name) is not run}
    parts |= {name: None for name in old if name not in runs}
    parts |= written(state.shadow, None if before is None else before.shadow)
    for i, version in enumerate(state.versions):
        saved = before.versions[i] if before is not None and i < len(before.versions) else None
        if saved is version:
            continue
        if saved is None or saved.feeds is not version.feeds:
            parts[f"version/{i}/feeds"] = pack(version.feeds.to_plain())
        if saved is None or saved.predictions is not version.predictions:
            parts[f"version/{i}/predictions"] = pack(version.predictions.to_plain())
        if version.outcomes is not None and (saved is None or saved.outcomes is not version.outcomes):
            parts[f"version/{i}/outcomes"] = pack(version.outcomes.to_plain())
        if version.performance is not None:
            parts[f"version/{i}/performance"] = pack(version.performance.to_plain())
        if version.baseline is not None and (saved is None or saved.baseline is not version.baseline):
            parts[f"version/{i}/baseline"] = version.baseline.to_json()
    return parts


def _runs(state: State) -> dict[str, Run]:
    """Return the runs of what is joined and of what is not, by the name of their parts."""
    joins = (("join", state.join), ("outside", state.outside))
    return {f"{place}/{name}": run for place, join in joins for name, run in join.parts().items()}


def from_parts(watch: Watch, parts: Mapping[str, bytes]) -> State:
    """Return the state that `to_parts` wrote.

    Raises
    ------
    ConfigurationError
        If the configuration asks for a state of another form.
    StoreError
        If a part is missing or not readable.
    """
    try:
        head = unpack(parts["head"])
        _check(watch, head)
        return State(
            mark=Watermark(head["newest"], head["frontier"]),
            pending=Pending.from_plain(unpack(parts["pending"])),
            join=Join.from_plain(head["join"], lambda name: unpack(parts[f"join/{name}"])),
            outside=Join.from_plain(head["outside"], lambda name: unpack(parts[f"outside/{name}"])),
            versions=[_version(watch, parts, i, v) for i, v in enumerate(head["versions"])],
            streak=(head["streak"][0], head["streak"][1]),
            decisions=Decisions.from_plain(head["decisions"]),
            counts=head["counts"],
            **compared_of(watch, parts),
            shadow=None if watch.keeping is None else restored(head.get("shadow"), parts),
            heard=head.get("heard", {}),
            statuses=tuple(Waiting(*waiting) for waiting in head.get("statuses", [])),
        )
    except (LookupError, ValueError, TypeError, AttributeError, OverflowError, msgspec.ValidationError) as error:
        raise StoreError(
            f"the saved state of model {watch.name} cannot be read ({error!r}); restore the store from a backup, or "
            f"begin the model anew with `anchorwatch run --reset {watch.name}`"
        ) from error


def _check(watch: Watch, head: Mapping[str, Any]) -> None:
    if head["schema"] != SCHEMA:
        raise StoreError(
            f"the saved state of model {watch.name} has schema {head['schema']}, this anchorwatch reads {SCHEMA}: run "
            "the version that wrote it, or upgrade"
        )
    if head["fingerprint"] != watch.fingerprint:
        raise ConfigurationError(
            f"model {watch.name}: columns, windows, monitors or baseline differ from those its saved state was made "
            "under, so the state cannot go on. Put the old configuration back, or begin the model anew with "
            f"`anchorwatch run --reset {watch.name}` (its history stays)"
        )


def _version(watch: Watch, parts: Mapping[str, bytes], i: int, head: Mapping[str, Any]) -> Version:
    baseline = None
    if head["baseline"] is not None:
        baseline = msgspec.json.decode(parts[f"version/{i}/baseline"], type=Baseline)
        if baseline.id != head["baseline"]:
            raise ValueError(f"version {head['name']} has the baseline {baseline.id} instead of {head['baseline']}")
    version = Version(
        name=head["name"],
        baseline=baseline,
        predictions=Track.fresh(),
        outcomes=None,
        seen=head["seen"],
        revised=Revisions(*head["revised"]) if "revised" in head else Revisions.none(),
        feeds=Feeds.from_plain(unpack(parts[f"version/{i}/feeds"])),
    )
    attach(watch, version)
    plan = version.predictions_plan or watch.predictions
    version.predictions = Track.from_plain(plan, unpack(parts[f"version/{i}/predictions"]))
    if watch.outcomes is not None:
        plan = version.outcomes_plan or watch.outcomes
        version.outcomes = Track.from_plain(plan, unpack(parts[f"version/{i}/outcomes"]))
    if head.get("performance"):
        version.performance = Performance.from_plain(unpack(parts[f"version/{i}/performance"]))
    return version
