"""Any drift detector of river by its import path, one value after the other."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from anchorwatch_detectors.alarms import Hit
from anchorwatch_detectors.lanes import LaneDetector
from anchorwatch_detectors.plain import decode, encode


@dataclass(frozen=True)
class RiverAny(LaneDetector):
    """A drift detector of river, named by its import path; its own object does the work.

    It is the slow way (river's speed, plus the reading and writing of the state at every call) and the complete one:
    what river adds is there the same day. After an alarm the object begins anew by river's own rules. Detectors for
    bits (those of `river.drift.binary`) take values in [0, 1] and pass over others, which some of them cannot bear.

    An alarm tells nothing but its place: river's detectors do not say what they compared or since when, so `since`
    is 1 (the alarming value), the rest NaN.

    Parameters
    ----------
    path
        For example "river.drift.KSWIN" or "river.drift.binary.DDM".
    given
        river's parameters by name. Where the class has a `seed` and none is given, it is 0, so that a replay gives
        the same alarms.

    Raises
    ------
    ValueError
        If there is no such drift detector, it refuses the parameters, or its state cannot be kept as plain data.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = RiverAny("river.drift.binary.DDM").start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist()
    [1029]

    References
    ----------
    Montiel, J. et al. (2021). River: machine learning for streaming data in Python. Journal of Machine Learning
    Research 22 (110), 1-8.
    """

    name: ClassVar[str] = "river_any"

    path: str
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        path: object = self.path
        given: object = self.given
        if not (isinstance(path, str) and isinstance(given, dict)):
            raise ValueError(  # noqa: TRY004 - what a configuration gets wrong is a ValueError, whatever its type
                f"river_any takes the path of a class and its parameters by name, not {self.path!r} and {self.given!r}"
            )
        found, _ = _detector(self.path)
        known = inspect.signature(found).parameters
        for parameter in self.given:
            if parameter not in known:
                raise ValueError(f"{self.path} has no parameter {parameter!r} (it has {', '.join(known) or 'none'})")
        try:
            encode(self._begin(), "river")
        except (TypeError, ArithmeticError) as error:
            raise ValueError(f"{self.path} refuses its parameters {self.given!r}: {error}") from error

    def feed(self, lane: Any, values: list[float]) -> tuple[Any, list[Hit]]:
        """Take values in order; see `LaneDetector.feed`. A lane is the description of river's object."""
        detector = self._begin() if lane is None else decode(lane, "river")
        hits: list[Hit] = []
        for position, x in enumerate(values):
            detector.update(x)
            if detector.drift_detected:
                hits.append(Hit(position, math.nan, math.nan, 1, math.nan, math.nan))
        return encode(detector, "river"), hits

    def domain(self) -> tuple[float, float]:
        """Return [0, 1] for a detector of bits, and what any detector takes for others."""
        _, bits = _detector(self.path)
        return (0.0, 1.0) if bits else super().domain()

    def check(self, lane: Any) -> Any:
        """Return a stored lane; raises ValueError if it is not the description of this detector's object."""
        found, _ = _detector(self.path)
        if not isinstance(lane, dict) or type(decode(lane, "river")) is not found:
            raise ValueError(f"{self.path}: a stored lane does not describe such a detector")
        return lane

    def _begin(self) -> Any:
        found, _ = _detector(self.path)
        seed = {"seed": 0} if "seed" in inspect.signature(found).parameters and self.given.get("seed") is None else {}
        return found(**self.given | seed)


@functools.cache
def _detector(path: str) -> tuple[type[Any], bool]:
    """Return the class of a path, and whether it is for bits."""
    module, _, name = path.rpartition(".")
    if module.partition(".")[0] != "river":
        raise ValueError(f"{path!r} is not a path in river: only river's drift detectors can be named by import path")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"river has no {path!r} ({error}): name a drift detector, such as river.drift.KSWIN"
        ) from error
    from river.base import BinaryDriftDetector, DriftDetector

    detects = isinstance(found, type) and issubclass(found, (DriftDetector, BinaryDriftDetector))
    if not detects or getattr(found.update, "__isabstractmethod__", False):
        raise ValueError(f"{path} is not a drift detector: it cannot watch a stream; name one of river.drift")
    return found, issubclass(found, BinaryDriftDetector)
