"""The model and the baseline that a command is about, as its options name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader

ModelOption = Annotated[str | None, typer.Option("--model", help="The model, where there are several.")]
VersionOption = Annotated[str | None, typer.Option("--version", help="The model version, where there are several.")]


def model_of(settings: Settings, model: str | None) -> str:
    """Return the model of that name, or the only one; raises UsageError where there is not one."""
    names = list(settings.models)
    if model is None and len(names) > 1:
        raise UsageError(f"the configuration has the models {', '.join(names)}: choose one with --model")
    chosen = names[0] if model is None else model
    if chosen not in names:
        raise UsageError(f"the configuration has no model {chosen!r}, but {', '.join(names)}")
    return chosen


def baseline_of(reference: str, store: str, model: str | None) -> Baseline:
    """Return a baseline of the store, or of a file; raises UsageError where it is not there."""
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.store.reader import Reader

    if reference.endswith(".json"):
        return read(Path(reference))
    with Reader.open_reader(Path(store)) as reader:
        row = reader.baseline(reference, model=model)
        if row is None:
            raise UsageError(_not_there(reference, reader))
    return Baseline.from_json(row.document)


def _not_there(reference: str, reader: Reader) -> str:
    known = [name for entry in reader.baselines() for name in (*entry.names, entry.id)]
    there = f"there are {', '.join(known[:10])}" if known else "there is none at all yet"
    return f"the store {reader.path} has no baseline {reference!r}: {there}"


def read(path: Path) -> Baseline:
    """Return the baseline in a file; raises UsageError if it cannot be read."""
    from anchorwatch.engine.baseline import Baseline

    try:
        return Baseline.from_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def write(path: Path, baseline: Baseline) -> None:
    """Write a baseline to a file; raises UsageError if that cannot be done."""
    try:
        path.write_bytes(baseline.to_json())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
