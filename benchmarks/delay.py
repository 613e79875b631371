"""Delay of the anytime-valid detectors, as a ratio to the clairvoyant CUSUM's at the same measured run length.

The clairvoyant CUSUM knows both distributions; its threshold is set so that its measured average run length is the
detector's own. The change comes after 30,000 values; the baseline has a million rows and no smallest shift.

    python benchmarks/delay.py [--run-length 100000] [--streams 300] [--alarms 100] [--only errors]
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors import registry
from anchorwatch_detectors.base import Usual
from anchorwatch_detectors.profile import NumericProfile
from anchorwatch_detectors.usual import of_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from anchorwatch_detectors.base import Floats, SequentialDetector

    Row = tuple[float, float, float, float]
    Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

BEFORE = 30_000
BASELINE = 1_000_000
LANES = 50


def lanes(usual: Usual, count: int) -> Usual:
    """Return a baseline of one lane for `count` lanes."""
    return Usual(
        *(np.repeat(getattr(usual, name), count, axis=1) for name in ("mean", "variance", "rows", "smallest", "memory"))
    )


def run_length(detector: SequentialDetector, usual: Usual, draw: Draw, alarms: int, seed: int) -> float:
    """Return values a false alarm on average, over at least `alarms` of them."""
    rng, state = np.random.default_rng(seed), detector.start(1, LANES, lanes(usual, LANES))
    found = values = 0
    while found < alarms:
        found += len(state.update(draw(rng, (LANES, 10_000))).event)
        values += LANES * 10_000
    return values / found


def delays(
    detector: SequentialDetector, usual: Usual, draws: tuple[Draw, Draw], streams: int, seed: int, before: int = BEFORE
) -> NDArray[np.int64]:
    """Return the delay of the first alarm after the change, for each stream."""
    rng, found = np.random.default_rng(seed), np.zeros(streams, dtype=np.int64)
    for first in range(0, streams, LANES):
        count = min(LANES, streams - first)
        state = detector.start(1, count, lanes(usual, count))
        for at in range(0, before, 10_000):
            state.update(draws[0](rng, (count, min(10_000, before - at))))
        seen, waiting = 0, np.ones(count, dtype=bool)
        while waiting.any():
            alarms = state.update(draws[1](rng, (count, 200)))
            for subject, event in zip(alarms.subject.tolist(), alarms.event.tolist(), strict=True):
                if waiting[subject]:
                    waiting[subject] = False
                    found[first + subject] = seen + event + 1
            seen += 200
    return found


def cusum(best: Best, threshold: float) -> SequentialDetector:
    """Return the clairvoyant CUSUM of a threshold."""
    return registry.sequential("cusum", {"reference": best.reference, "threshold": threshold, "mode": "up"})


def clairvoyant(best: Best, target: float, streams: int) -> float:
    """Return the mean delay of the clairvoyant CUSUM at a measured run length of `target`.

    Two thresholds whose run lengths lie on both sides of it are measured; between them the delay is linear in the
    logarithm of the run length. (A single one need not exist: sums of errors take few values.)
    """
    seen: dict[float, float] = {}
    step = best.unit * max(0.7, best.jump)
    threshold = rough = 0.0
    while rough < math.log(target):
        threshold += step
        rough = math.log(run_length(cusum(best, threshold), best.usual, best.draws[0], 30, 5))
    while len(seen) < 2 or not min(seen) <= math.log(target) <= max(seen):
        detector = cusum(best, threshold)
        length = math.log(run_length(detector, best.usual, best.draws[0], 400, 6))
        seen[length] = float(delays(detector, best.usual, best.draws, streams, 3, before=3000).mean())
        threshold += step if length < math.log(target) else -step
    below = max(length for length in seen if length <= math.log(target))
    above = min(length for length in seen if length >= math.log(target))
    return float(np.interp(math.log(target), [below, above], [seen[below], seen[above]]))


def exact(mean: float, deviation: float) -> Usual:
    """Return the truth as a baseline."""
    one = np.ones((1, 1))
    return Usual(one * mean, one * deviation**2, one * 1e18, one * 0.0, one)


def bernoulli(p: float) -> Draw:
    """Return a source of errors."""
    return lambda rng, shape: (rng.random(shape, dtype=np.float32) < p).astype(np.float64)


def shifted(shift: float) -> Draw:
    """Return a source of normal values."""
    return lambda rng, shape: rng.standard_normal(shape) + shift


def ranked(shift: float, profile: NumericProfile) -> Draw:
    """Return a source of ranks of normal values within a baseline."""
    return lambda rng, shape: profile.cdf(shifted(shift)(rng, shape).ravel()).reshape(shape)


class Best(NamedTuple):
    """What the clairvoyant CUSUM knows.

    Attributes
    ----------
    draws
        Source before and after the change.
    usual
        The truth before it.
    reference
        The CUSUM's, in standard deviations.
    unit
        Threshold that is 1 in the likelihood ratio's logarithm.
    jump
        Largest step of that logarithm where it takes few values, else 0.
    """

    draws: tuple[Draw, Draw]
    usual: Usual
    reference: float
    unit: float
    jump: float


def of_errors(p: float, q: float) -> Best:
    """Return what is known of errors whose rate goes from p to q."""
    step, deviation = math.log((1 - q) / (1 - p)), math.sqrt(p * (1 - p))
    slope = math.log(q / p) - step
    reference = (-step / slope - p) / deviation
    return Best((bernoulli(p), bernoulli(q)), exact(p, deviation), reference, 1 / (slope * deviation), math.log(q / p))


def of_shift(shift: float) -> Best:
    """Return what is known of normal values that shift."""
    return Best((shifted(0.0), shifted(shift)), exact(0.0, 1.0), shift / 2, 1 / shift, 0.0)


def measure(
    detector: SequentialDetector, usual: Usual, draws: tuple[Draw, Draw], best: Best, asked: argparse.Namespace
) -> Row:
    """Return run length, mean delay, its standard error, and the clairvoyant CUSUM's mean delay."""
    length = run_length(detector, usual, draws[0], asked.alarms, 1)
    found = delays(detector, usual, draws, asked.streams, 2)
    theirs = clairvoyant(best, length, 4 * asked.streams)
    return length, found.mean(), found.std() / math.sqrt(asked.streams), theirs


def show(name: str, rows: Iterable[tuple[str, Row]]) -> None:
    """Print a table, each row as soon as it is measured."""
    print(
        f"\n{name}\n\n| cell | run length | delay | +- | clairvoyant | ratio |\n|---|---|---|---|---|---|", flush=True
    )
    ratios = []
    for cell, (length, delay, error, theirs) in rows:
        ratios.append(delay / theirs)
        print(f"| {cell} | {length:,.0f} | {delay:.1f} | {error:.1f} | {theirs:.1f} | {ratios[-1]:.2f} |", flush=True)
    print(f"\ngeometric mean {math.exp(np.mean(np.log(ratios))):.3f}, worst {max(ratios):.2f}", flush=True)


def errors(detector: SequentialDetector, asked: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """Measure errors whose rate rises."""
    rng = np.random.default_rng(0)
    for p in (0.01, 0.05, 0.25):
        usual = of_sample(bernoulli(p)(rng, (1, BASELINE)))
        for ratio in (1.25, 1.5, 2.0, 4.0):
            best = of_errors(p, min(p * ratio, 0.999))
            yield f"errors {p} x {ratio}", measure(detector, usual, best.draws, best, asked)


def features(detector: SequentialDetector, asked: argparse.Namespace) -> Iterator[tuple[str, Row]]:
    """Measure normal values that shift, as ranks within the profile of a baseline."""
    sample = np.random.default_rng(0).standard_normal(BASELINE)
    profile = NumericProfile.of(sample)
    usual = of_sample(profile.cdf(sample)[np.newaxis])
    for shift in (0.1, 0.25, 0.5, 1.0):
        draws = (ranked(0.0, profile), ranked(shift, profile))
        yield f"normal + {shift}", measure(detector, usual, draws, of_shift(shift), asked)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-length", type=float, default=1e5)
    parser.add_argument("--streams", type=int, default=300)
    parser.add_argument("--alarms", type=int, default=100)
    parser.add_argument("--only", choices=("errors", "features"))
    asked = parser.parse_args()
    for kind, name, cells in (
        ("errors", "shiryaev_roberts", errors),
        ("features", "shiryaev_roberts_ranks", features),
    ):
        if asked.only in (None, kind):
            detector = registry.sequential(name, {"average_run_length": asked.run_length})
            show(f"{name}, average run length {asked.run_length:,.0f}", cells(detector, asked))


if __name__ == "__main__":
    main()
