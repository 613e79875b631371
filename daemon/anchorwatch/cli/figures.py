"""Accuracy figures for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchorwatch.decide.shares import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table


def shown(models: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[tuple[str, Table | None]]:
    """Yield for each version a sentence and a table of its newest mature figures, None where there are none yet.

    Parameters
    ----------
    models
        Per model the figures of its versions, as `engine.performance.Performance.shown` gives them.
    """
    for model, versions in models.items():
        for figures in versions:
            version = f" version {figures['version']}" if figures["version"] else ""
            waits = figures["maturing"]
            maturing = f"maturing: {waits['predictions']:,} predictions, {waits['labelled']:,} labelled"
            if "metrics" not in figures:
                yield f"accuracy of {model}{version}: none yet; {maturing}", None
                continue
            labelled = f"{figures['labelled']:,} of {figures['predictions']:,} labelled"
            if figures["coverage"] is not None:
                labelled += f" ({100 * figures['coverage']:.1f} %)"
            until = f"predictions until {figures['until']}"
            yield f"accuracy of {model}{version}: {until}, {labelled}; {maturing}", _table(figures["metrics"])


def _table(metrics: Mapping[str, Mapping[str, Any]]) -> Table:
    from rich.table import Table

    table = Table("metric", "value", "95 % interval", "labels")
    for name, each in metrics.items():
        table.add_row(
            name, figure(each["value"], 4), f"{figure(each['low'], 4)} to {figure(each['high'], 4)}", f"{each['n']:,}"
        )
    return table
