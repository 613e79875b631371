"""Accuracy figures as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table


def table(models: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table | None:
    """Return the newest mature figures of each version, with their intervals and coverage; None where there are none.

    Parameters
    ----------
    models
        Per model the figures of its versions, as `engine.performance.Performance.shown` gives them.
    """
    from rich.markup import escape
    from rich.table import Table

    out = Table("model", "version", "metric", "value (95 % interval)", "labelled", "predictions until", "maturing")
    for model, versions in models.items():
        for figures in versions:
            waits = f"{figures['maturing']['labelled']:,} of {figures['maturing']['predictions']:,}"
            who = escape(model), escape(figures["version"])
            found = figures.get("metrics", {})
            if not found:
                out.add_row(*who, "none yet", "", _coverage(figures), figures.get("until", ""), waits)
            for name, each in found.items():
                value = f"{each['value']:.4g} ({each['low']:.4g} to {each['high']:.4g})"
                out.add_row(*who, name, value, _coverage(figures), figures["until"], waits)
    return out if out.row_count else None


def _coverage(figures: Mapping[str, Any]) -> str:
    if figures.get("coverage") is None:
        return ""
    return f"{figures['labelled']:,} of {figures['predictions']:,} ({100 * figures['coverage']:.1f} %)"
