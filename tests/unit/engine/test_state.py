"""State is a value in named bytes: what was written is what goes on, and what cannot be trusted is refused."""

import contextlib
import dataclasses

import numpy as np
import pytest
from tests.property.worlds import SHORT, Run, World

from anchorwatch.engine.plain import pack, unpack
from anchorwatch.engine.state import fresh, from_parts, to_parts
from anchorwatch.errors import ConfigurationError, StoreError

WORLD = World(seed=11, n=400)


@pytest.fixture(scope="module")
def run():
    """Return a run in the middle: versions, baselines, tables, events that wait."""
    run = Run(WORLD)
    run.take([(partition, 2 * len(log) // 3) for partition, log in run.logs.items()])
    return run


def test_a_state_has_parts_that_can_be_written_on_their_own(run):
    names = {name.split("/")[0] for name in run.parts()}
    assert names == {"head", "pending", "join", "version", "shadow"}
    assert {name.rpartition("/")[2] for name in run.parts() if "version" in name} == {
        "predictions",
        "outcomes",
        "baseline",
        "feeds",
    }


def test_the_same_state_gives_the_same_bytes_after_a_way_through_bytes(run):
    again = from_parts(run.watch, run.parts())
    assert to_parts(run.watch, again) == run.parts()
    assert again.accounting() == run.state.accounting()


def test_a_fresh_state_goes_through_bytes(run):
    parts = to_parts(run.watch, fresh(run.watch))
    assert to_parts(run.watch, from_parts(run.watch, parts)) == parts


def test_only_what_changed_is_written_and_what_is_gone_is_said():
    """Parts written over those that were there make the same store as writing everything."""
    run = Run(dataclasses.replace(WORLD, runs=SHORT))
    rng = np.random.default_rng(2)
    store, saved, left_out, gone = {}, None, 0, 0
    while run.rest:
        run.take([(p, int(rng.integers(0, 40))) for p in sorted(run.rest)])
        changed = to_parts(run.watch, run.state, saved)
        saved = run.state
        gone += sum(data is None for data in changed.values())
        for name, data in changed.items():
            store.pop(name, None)
            store |= {} if data is None else {name: data}
        left_out += len(store) - len(changed)
        assert store == run.parts()
    assert left_out > 10
    assert gone > 2


def test_a_baseline_is_written_once(run):
    """It is the largest part of a state, and never changes."""
    run = Run(WORLD)
    run.take([(partition, len(log) // 2) for partition, log in run.logs.items()])
    before = run.state
    run.take([(partition, 30) for partition in run.logs])
    assert "version/0/predictions" in to_parts(run.watch, run.state, before)
    assert "version/0/baseline" not in to_parts(run.watch, run.state, before)


def test_a_state_of_another_schema_is_refused(run):
    head = {**unpack(run.parts()["head"]), "schema": 99}
    with pytest.raises(StoreError, match="has schema 99"):
        from_parts(run.watch, {**run.parts(), "head": pack(head)})


def test_a_state_made_under_another_configuration_is_refused(run):
    """Windows of another size, another column: the counts would mean something else."""
    for change in ({"size": 30}, {"segments": False}, {"detector": "hddm_a"}, {"labels": False}):
        with pytest.raises(ConfigurationError, match="--reset fraud"):
            from_parts(dataclasses.replace(WORLD, **change).watch(), run.parts())


def test_alert_and_retrain_policies_may_change_at_any_time(run):
    other = dataclasses.replace(WORLD, extra={"retrain": {"when": "drift", "min_labels": 0}}).watch()
    assert other.rules != run.watch.rules
    assert to_parts(other, from_parts(other, run.parts())) == run.parts()


def test_a_missing_part_is_refused_by_name(run):
    for name in run.parts():
        parts = {n: data for n, data in run.parts().items() if n != name}
        with pytest.raises(StoreError, match="--reset fraud"):
            from_parts(run.watch, parts)


def test_a_damaged_part_is_refused_whatever_the_damage(run):
    """Cut short, emptied, replaced by something else that is well-formed, overwritten in places."""
    rng = np.random.default_rng(0)
    for name, data in run.parts().items():
        others = [b"", data[: len(data) // 2], data[:-1], b"\xff" * 40, pack(17), pack([]), pack({}), b'{"model": 1}']
        for damaged in others:
            with pytest.raises(StoreError, match="cannot be read"):
                from_parts(run.watch, {**run.parts(), name: damaged})
        for _ in range(15):
            damaged = bytearray(data)
            for at in rng.integers(0, len(data), 3):
                damaged[at] = rng.integers(0, 256)
            with contextlib.suppress(StoreError, ConfigurationError):  # what is wrong but well-formed the store detects
                from_parts(run.watch, {**run.parts(), name: bytes(damaged)})
