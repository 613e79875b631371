"""Which detectors are compared, and how they are set."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Literal, NamedTuple

from anchorwatch_detectors import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch_detectors.base import SequentialDetector

    Kind = Literal["errors", "ranks"]

DEFAULTS: dict[str, Kind] = {"shiryaev_roberts": "errors", "shiryaev_roberts_ranks": "ranks"}
"""The detectors that are on without asking, and what each is for."""
ERRORS_ONLY = frozenset({"ddm", "eddm", "fhddm", "hddm_a", "hddm_w", "rddm", "stepd"})
"""Detectors of bits."""
RANKS_ONLY = frozenset({"kswin", "shiryaev_roberts_ranks"})
"""Detectors of continuous values."""


class Contender(NamedTuple):
    """A detector as it is measured.

    Attributes
    ----------
    name
        The registered one.
    setting
        The dial it was set to, or "as shipped".
    detector
        Itself.
    """

    name: str
    setting: str
    detector: SequentialDetector

    @property
    def is_default(self) -> bool:
        """Whether it is on without asking."""
        return self.name in DEFAULTS

    def takes(self, kind: Kind) -> bool:
        """Return whether values of a kind are for it."""
        if self.is_default:
            return DEFAULTS[self.name] == kind
        return self.name not in (RANKS_ONLY if kind == "errors" else ERRORS_ONLY)


def contenders(run_lengths: tuple[float, ...]) -> Iterator[Contender]:
    """Yield every registered detector: with a dial, once for each run length; without one, as it ships."""
    for name in [*DEFAULTS, *(name for name in registry.names("sequential") if name not in DEFAULTS)]:
        if "average_run_length" not in inspect.signature(registry.installed().find("sequential", name)).parameters:
            yield Contender(name, "as shipped", registry.sequential(name))
            continue
        for length in run_lengths:
            detector = registry.sequential(name, {"average_run_length": length})
            yield Contender(name, f"1 in {length:,.0f}", detector)
