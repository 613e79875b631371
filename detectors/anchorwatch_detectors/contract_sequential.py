"""The contract of sequential detectors, one sentence a check; `checks` yields them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from anchorwatch_detectors import synth
from anchorwatch_detectors.base import Usual
from anchorwatch_detectors.contract import require, require_error, require_validated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch_detectors.base import Alarms, Floats, Ints, SequentialDetector, SequentialState

CHANGE = 300
"""Position of the change in the streams of the checks."""
EVENTS = 700
"""Length of the streams of the checks."""

Row = tuple[int, int, int, float, float, int, float, float]


def check_cutting_changes_nothing(detector: SequentialDetector) -> None:
    """Check that cutting the events into blocks in any way gives the same alarms and the same state, bit for bit."""
    values, groups = _block(seed=1)
    whole = detector.start(2, len(values))
    expected = _rows(whole.update(values, groups))
    for seed, most in ((0, 1), (1, 7), (2, 200)):
        cut = detector.start(2, len(values))
        found = _fed_in_pieces(cut, values, groups, seed=seed, most=most)
        require(_same(found, expected), f"blocks of up to {most} events give other alarms than one block")
        require(_same(cut.to_plain(), whole.to_plain()), f"blocks of up to {most} events leave another state")


def check_restored_state_continues(detector: SequentialDetector) -> None:
    """Check that a state restored from its plain description continues as the one that was described."""
    values, groups = _block(seed=2)
    for at in (0, 1, 100, CHANGE + 20):
        running = detector.start(2, len(values))
        running.update(values[:, :at], groups[:at])
        restored = detector.restore(_stored(running.to_plain()))
        expected, found = (_rows(state.update(values[:, at:], groups[at:])) for state in (running, restored))
        require(_same(found, expected), f"a state restored after {at} events gives other alarms")
        require(_same(restored.to_plain(), running.to_plain()), f"a state restored after {at} events ends otherwise")


def check_foreign_state_is_refused(detector: SequentialDetector) -> None:
    """Check that what is not a state of this detector is refused with ValueError."""
    plain = detector.start(1, 1).to_plain()
    require_error("an empty description is taken for a state", detector.restore, {})
    for key in plain:
        damaged = {name: value for name, value in plain.items() if name != key}
        require_error(f"a description without {key!r} is taken for a state", detector.restore, damaged)


def check_copy_is_independent(detector: SequentialDetector) -> None:
    """Check that a copy and its original do not see each other's events."""
    values, groups = _block(seed=3)
    state = detector.start(2, len(values))
    state.update(values[:, :200], groups[:200])
    before = _stored(state.to_plain())
    copied = state.copy()
    copied.update(values[:, 200:], groups[200:])
    require(_same(state.to_plain(), before), "events given to a copy change its original")
    kept = _stored(copied.to_plain())
    state.update(values[:, 200:500], groups[200:500])
    state.reset(0, 0)
    state.grow(5)
    require(_same(copied.to_plain(), kept), "what is done to the original changes its copy")


def check_plain_state_is_a_snapshot(detector: SequentialDetector) -> None:
    """Check that what `to_plain` gave does not change with later events."""
    values, groups = _block(seed=4)
    state = detector.start(2, len(values))
    state.update(values[:, :200], groups[:200])
    plain = state.to_plain()
    before = _stored(plain)
    state.update(values[:, 200:], groups[200:])
    require(_same(plain, before), "events change a description that was taken before them")


def check_bad_values_are_passed_over(detector: SequentialDetector) -> None:
    """Check that alarms are those of the stream without its values that are not finite, wherever they are."""
    clean = _changing(5)
    for usual in (None, _usual(1, 1)):
        expected = detector.start(1, 1, usual).update(clean[np.newaxis])
        for bad in (np.nan, np.inf, -np.inf):
            for at in ([0], [0, 1, 2], [CHANGE - 1, CHANGE, CHANGE + 1], list(range(0, EVENTS, 7)), [EVENTS]):
                dirty = np.insert(clean, at, bad)
                found = detector.start(1, 1, usual).update(dirty[np.newaxis])
                place = np.flatnonzero(np.isfinite(dirty))[expected.event]
                require(_same(found.event.tolist(), place.tolist()), f"{bad} at {at[:3]} changes the alarms")
                require(_same(found.since.tolist(), expected.since.tolist()), f"{bad} at {at[:3]} counts as a value")


def check_huge_values_stop_no_detection(detector: SequentialDetector) -> None:
    """Check that a single huge value, wherever it is, changes neither whether a large change is found nor when."""
    for clean, usual in itertools.product((_changing(6), 1.0 - _changing(6)), (None, _usual(1, 1))):
        expected = detector.start(1, 1, usual).update(clean[np.newaxis]).event
        for huge in (1e300, -1e300, float(np.finfo(np.float64).max)):
            for at in (0, 3, CHANGE // 2, CHANGE - 1, CHANGE, CHANGE + 4, EVENTS):
                found = detector.start(1, 1, usual).update(np.insert(clean, at, huge)[np.newaxis]).event
                require(
                    _same(found.tolist(), (expected + (expected >= at)).tolist()),
                    f"a single {huge:g} at {at} changes whether or when a change is found",
                )


def check_lanes_are_independent(detector: SequentialDetector) -> None:
    """Check that each group and each subject alarms as if it were alone, and negative group codes are passed over."""
    values, groups = _block(seed=7)
    together = detector.start(2, len(values)).update(values, groups)
    for group in range(2):
        events = np.flatnonzero(groups == group)
        for subject in range(len(values)):
            alone = detector.start(1, 1).update(values[subject : subject + 1, events])
            mine = (together.group == group) & (together.subject == subject)
            require(
                _same(together.event[mine].tolist(), events[alone.event].tolist()),
                f"subject {subject} of group {group} gives other alarms among others than alone",
            )


def check_constants_are_silent(detector: SequentialDetector) -> None:
    """Check that a stream that never changes its value raises no alarm."""
    for constant in (0.0, 0.5, 1.0):
        alarms = detector.start(1, 1).update(np.full((1, 1000), constant))
        require(len(alarms.event) == 0, f"the constant {constant} raises an alarm")


def check_large_change_is_found(detector: SequentialDetector) -> None:
    """Check that a change from few errors to many, or from many to few, is found after it happened."""
    rise, fall = _changing(8), 1.0 - _changing(8)
    require(_rings(detector, rise) or _rings(detector, fall), "neither a rise from 0.1 to 0.9 nor a fall is found")


def check_alarms_are_in_order(detector: SequentialDetector) -> None:
    """Check that alarms come by event, then subject, each with a value since its change, as columns of one length."""
    values, groups = _block(seed=9)
    alarms = detector.start(2, len(values)).update(values, groups)
    places = list(zip(alarms.event.tolist(), alarms.subject.tolist(), strict=True))
    require(places == sorted(places), "alarms are not in order of event, then subject")
    require((alarms.since >= 1).all(), "an alarm has no value since its change")
    require((alarms.group == groups[alarms.event]).all(), "an alarm names another group than its event's")
    for name in ("event", "group", "subject", "since"):
        require(getattr(alarms, name).dtype == np.int64, f"{name} is not int64")
    for name in ("statistic", "threshold", "before", "after"):
        column = getattr(alarms, name)
        require(column.dtype == np.float64 and column.shape == alarms.event.shape, f"{name} is not (k,) float64")


def check_growing_and_resetting(detector: SequentialDetector) -> None:
    """Check that new groups are fresh and leave the others as they were; a reset lane is a fresh one."""
    values, _ = _block(seed=10)
    fresh, state = detector.start(3, len(values)), detector.start(1, len(values))
    state.update(values[:, :CHANGE])
    state.grow(3)
    require(state.shape == (3, len(values)), f"after growing to 3 groups the shape is {state.shape}")
    state.grow(2)
    require(state.shape == (3, len(values)), "growing to fewer groups takes groups away")
    for subject in range(len(values)):
        state.reset(0, subject)
    require(_same(state.to_plain(), fresh.to_plain()), "grown or reset lanes are not fresh")


def check_baselines_stay(detector: SequentialDetector) -> None:
    """Check that with baselines cutting and restoring change nothing, a reset lane keeps its own, and misfits raise."""
    values, groups = _block(seed=11)
    usual = _usual(2, len(values))
    state = detector.start(2, len(values), usual)
    state.update(values[:, :200], groups[:200])
    restored = detector.restore(_stored(state.to_plain()))
    expected, found = (_rows(lanes.update(values[:, 200:], groups[200:])) for lanes in (state, restored))
    require(_same(found, expected), "a state with baselines restored after 200 events gives other alarms")
    cut = detector.start(2, len(values), usual)
    _fed_in_pieces(cut, values, groups, seed=3, most=9)
    require(_same(cut.to_plain(), state.to_plain()), "with baselines blocks of up to 9 events leave another state")
    for group, subject in np.ndindex(2, len(values)):
        state.reset(group, subject)
    require(_same(state.to_plain(), detector.start(2, len(values), usual).to_plain()), "a reset lane is not fresh")
    grown = detector.start(1, len(values), _usual(1, len(values)))
    grown.grow(2, _usual(1, len(values)))
    require(_same(grown.to_plain(), state.to_plain()), "a new group's baseline is not that of one from the start")
    require_error("baselines of other lanes are not refused", detector.start, 1, len(values), usual)
    require_error("a new group's baselines of other lanes are not refused", grown.grow, 3, usual)


def check_misfits_are_refused(detector: SequentialDetector) -> None:
    """Check that a block that does not fit raises ValueError; neither it nor an empty one changes the state."""
    state = detector.start(2, 2)
    block = np.zeros((2, 5))
    state.update(block)
    before = _stored(state.to_plain())
    require(len(state.update(np.empty((2, 0))).event) == 0, "an empty block raises an alarm")
    require_error("a missing subject is not refused", state.update, np.zeros((1, 5)))
    require_error("a block of one dimension is not refused", state.update, np.zeros(2))
    require_error("too few group codes are not refused", state.update, block, np.zeros(4, dtype=np.int64))
    require_error("an unknown group is not refused", state.update, block, np.full(5, 2))
    require(_same(state.to_plain(), before), "a refused or empty block changes the state")


def check_parameters_are_validated(detector: SequentialDetector) -> None:
    """Check that a parameter that cannot be is refused with ValueError."""
    require_validated(detector)


def _usual(groups: int, subjects: int) -> Usual:
    """Return the baseline of errors at a rate of 0.1 for each lane."""
    one = np.ones((groups, subjects))
    return Usual(0.1 * one, 0.09 * one, 10_000.0 * one, 0.001 * one, one)


def _changing(seed: int) -> Floats:
    """Return errors whose rate rises from 0.1 to 0.9 at `CHANGE`."""
    return synth.abrupt(synth.bernoulli(EVENTS, seed, 0.1), synth.bernoulli(EVENTS, seed + 1000, 0.9), CHANGE)


def _block(seed: int) -> tuple[Floats, Ints]:
    """Return three subjects (rising, falling, rising with gaps) of two groups and events that belong to neither."""
    rng = np.random.default_rng(seed)
    gaps = np.where(rng.random(EVENTS) < 0.1, np.nan, _changing(seed + 1))
    groups = rng.choice(np.array([-1, 0, 1]), EVENTS, p=[0.1, 0.6, 0.3])
    return np.stack([_changing(seed), 1.0 - _changing(seed + 2), gaps]), groups


def _rings(detector: SequentialDetector, stream: Floats) -> bool:
    """Say whether there is an alarm after the change."""
    return bool((detector.start(1, 1).update(stream[np.newaxis]).event >= CHANGE).any())


def _pieces(events: int, seed: int, most: int) -> Iterator[slice]:
    rng, at = np.random.default_rng(seed), 0
    while at < events:
        size = int(rng.integers(1, most + 1))
        yield slice(at, at + size)
        at += size


def _fed_in_pieces(state: SequentialState, values: Floats, groups: Ints, *, seed: int, most: int) -> list[Row]:
    found: list[Row] = []
    for piece in _pieces(len(groups), seed, most):
        found += [(row[0] + piece.start, *row[1:]) for row in _rows(state.update(values[:, piece], groups[piece]))]
    return found


def _rows(alarms: Alarms) -> list[Row]:
    columns = (alarms.event, alarms.group, alarms.subject, alarms.statistic, alarms.threshold, alarms.since)
    return list(zip(*(column.tolist() for column in (*columns, alarms.before, alarms.after)), strict=True))


def _same(one: Any, other: Any) -> bool:
    """Say whether two plain values are equal bit for bit, NaN to NaN, a tuple to a list."""
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return (
            isinstance(other, list | tuple)
            and len(one) == len(other)
            and all(_same(a, b) for a, b in zip(one, other, strict=True))
        )
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124 - NaN is what differs from itself


def _stored(value: Any) -> Any:
    """Return what a store gives back: tuples as lists, everything copied; whatever is not plain data is refused."""
    if isinstance(value, Mapping):
        require(all(isinstance(key, str) for key in value), "a key of the plain state is not a string")
        return {key: _stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_stored(item) for item in value]
    if isinstance(value, np.ndarray):
        require(not value.dtype.hasobject, "the plain state holds an array of objects")
        return value.copy()
    plain = value is None or type(value) in (bool, int, float, str, bytes)
    require(plain, f"the plain state holds a {type(value).__name__}, which is not plain data")
    return value
