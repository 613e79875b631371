"""River's detectors as compiled loops against river's own, one value after the other as a program would feed it."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.measurement import alternate, rates
from river import drift

from anchorwatch_detectors import registry, synth

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measurement import Measurement

BLOCK = 50_000
"""Events of a call."""
ROUNDS = 7
SEGMENTS, SUBJECTS, MANY = 1000, 20, 1_000_000
SHARE = 50
"""River takes one in so many of the events of a thousand segments: it would take minutes over all."""

DETECTORS = {
    "adwin": (drift.ADWIN, {}, 200_000),
    "page_hinkley": (drift.PageHinkley, {}, 1_000_000),
    "ddm": (drift.binary.DDM, {}, 1_000_000),
    "eddm": (drift.binary.EDDM, {}, 1_000_000),
    "fhddm": (drift.binary.FHDDM, {}, 1_000_000),
    "hddm_a": (drift.binary.HDDMA, {}, 200_000),
    "hddm_w": (drift.binary.HDDMW, {}, 200_000),
    "kswin": (drift.KSWIN, {"seed": 0}, 5_000),
}
"""River's class, parameters, events."""


def measure() -> list[Measurement]:
    """Return a comparison for each detector, and one for many segments."""
    return [*(one_lane(name) for name in DETECTORS), many_segments()]


def one_lane(name: str) -> Measurement:
    """Compare one detector on one stream of errors; both must ring at the same places."""
    made, parameters, events = DETECTORS[name]
    errors = synth.bernoulli(events, 1, 0.1)
    values = errors if name != "kswin" else synth.normal(events, 1)
    ours, theirs = list[int](), list[int]()
    registry.sequential(name, parameters).start(1, 1).update(values[np.newaxis, :100])  # what is compiled is loaded

    def kernel() -> None:
        ours[:] = []
        state = registry.sequential(name, parameters).start(1, 1)
        for at in range(0, events, BLOCK):
            ours.extend((at + state.update(values[np.newaxis, at : at + BLOCK]).event).tolist())

    taken = (1.0 - values if name == "fhddm" else values).tolist()
    rounds = alternate(ROUNDS, kernel, looped(made, parameters, taken, theirs), clock=process_time)
    assert ours == theirs, f"{name} rings elsewhere"
    return rates(f"{name}, one stream", events, "river's loop", rounds)


def looped(
    made: Callable[..., object], parameters: dict[str, object], values: list[float], alarms: list[int]
) -> object:
    """Return a function that feeds river's detector."""

    def loop() -> None:
        alarms[:] = []
        detector = made(**parameters)
        for place, x in enumerate(values):
            detector.update(x)
            if detector.drift_detected:
                alarms.append(place)

    return loop


def many_segments() -> Measurement:
    """Compare twenty ADWINs in each of a thousand segments: an event is a row of twenty values of one segment."""
    rng = np.random.default_rng(1)
    values, groups = rng.random((SUBJECTS, MANY)), rng.integers(0, SEGMENTS, MANY)
    rows, codes = values[:, : MANY // SHARE].T.tolist(), groups[: MANY // SHARE].tolist()

    def kernel() -> None:
        registry.sequential("adwin").start(SEGMENTS, SUBJECTS).update(values, groups)

    def loop() -> None:
        lanes = [[drift.ADWIN() for _ in range(SUBJECTS)] for _ in range(SEGMENTS)]
        for code, row in zip(codes, rows, strict=True):
            for detector, x in zip(lanes[code], row, strict=True):
                detector.update(x)

    kernel()
    rounds = [[ours, theirs * SHARE] for ours, theirs in alternate(3, kernel, loop, clock=process_time)]
    return rates(f"20 adwin x {SEGMENTS:,} segments, one call", MANY, f"river's loop, 1 in {SHARE} events", rounds)
