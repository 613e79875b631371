import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorwatch.errors import StoreError
from anchorwatch.events.records import Partition
from anchorwatch.store.connection import WAL_LIMIT, WAL_PAGES, journal
from anchorwatch.store.reader import Reader
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store


def everything(store):
    return (
        store.positions(),
        store.parts("fraud"),
        store.unpublished(100),
        store.baselines(),
        store.scores(),
        store.alerts(),
        store.triggers(),
        store.stages(),
    )


def test_a_new_store_holds_nothing(store):
    assert everything(store) == ({}, {}, [], [], [], [], [], [])
    assert store.models() == []
    assert (store.epoch, store.progress().number, store.progress().checkpoint) == (1, 0, None)


def test_a_checkpoint_comes_back_after_closing_and_opening_again(opened, rows):
    first = opened()
    first.checkpoint(rows.checkpoint(1))
    ident = first.id
    first.close()
    store = opened()
    assert (store.id, store.epoch, store.progress().number, store.progress().checkpoint) == (ident, 2, 1, 10_001)
    assert store.positions() == {Partition("predictions", 0): 100, Partition("labels", 3): 10}
    assert store.parts("fraud") == {"windows": b"w1" * 100, "join": b"j1", "lane-1": b""}
    assert store.unpublished(9) == [rows.outgoing(1)]
    assert store.baseline(rows.baseline(1).id) == rows.baseline(1)
    assert store.scores() == [rows.score(1, subject="hour"), rows.score(1)]
    assert store.alerts() == [rows.alert(1)]
    assert store.triggers() == [rows.trigger(1)]
    assert store.stages() == [rows.stage(1)]


def test_a_large_part_that_is_made_of_others_takes_their_room(opened, path):
    """The runs of the join do so; the file would else have to hold both."""
    store = opened()
    store.checkpoint(Checkpoint(at=1, parts={"fraud": {f"run {i}": os.urandom(1_000_000) for i in range(4)}}))
    store.checkpoint(
        Checkpoint(at=2, parts={"fraud": {"run": os.urandom(4_000_000)} | {f"run {i}": None for i in range(4)}})
    )
    assert list(store.parts("fraud")) == ["run"]
    store.close()
    assert path.stat().st_size < 5_000_000


def test_only_what_changed_is_replaced_and_none_deletes_a_part(store, rows):
    store.checkpoint(rows.checkpoint(1))
    store.checkpoint(Checkpoint(at=2, positions={Partition("labels", 3): 77}, parts={"fraud": {"join": None}}))
    assert store.positions() == {Partition("predictions", 0): 100, Partition("labels", 3): 77}
    assert store.parts("fraud") == {"windows": b"w1" * 100, "lane-1": b""}


def test_a_model_whose_last_part_is_deleted_is_gone(store):
    store.checkpoint(Checkpoint(at=1, parts={"a": {"x": b"1"}, "b": {"x": b"1"}}))
    store.checkpoint(Checkpoint(at=2, parts={"a": {"x": None}}))
    assert store.models() == ["b"]
    assert store.parts("a") == {}


@pytest.mark.parametrize("times", [1, 3])
def test_the_same_checkpoint_written_again_changes_nothing(opened, rows, times):
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    once = everything(store)
    for _ in range(times):
        store.checkpoint(rows.checkpoint(1))
        store.close()
        store = opened()
    assert everything(store) == once


def test_a_message_that_was_published_is_not_taken_again(opened, rows):
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    store.published(["out-1", "never heard of"])
    store.close()
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    assert store.outbox_size() == 0


def test_failure_13_a_message_whose_publishing_was_not_recorded_comes_again_byte_for_byte(opened, rows):
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    sent = store.unpublished(10)
    store.close()
    assert opened().unpublished(10) == sent == [rows.outgoing(1)]


def test_failure_34_a_checkpoint_waits_for_the_disk_and_what_may_be_repeated_does_not(store, rows):
    def waits():
        return store._connection.execute("PRAGMA synchronous").fetchone() == (2,)

    store.checkpoint(rows.checkpoint(1))
    assert waits()
    store.published(["out-1"])
    assert not waits()
    store.checkpoint(rows.checkpoint(2))
    assert waits()
    store.heartbeat(5)
    assert not waits()
    store.add_baselines([rows.baseline(7)])
    assert waits()


def test_messages_leave_in_the_order_they_came(store, rows):
    for k in range(5):
        store.checkpoint(Checkpoint(at=k, outbox=[rows.outgoing(9 - 2 * k), rows.outgoing(8 - 2 * k)]))
    store.published(["out-9", "out-4"])
    assert [message.id for message in store.unpublished(4)] == ["out-8", "out-7", "out-6", "out-5"]
    assert store.outbox_size() == 8


def test_a_checkpoint_that_fails_in_its_last_row_has_written_nothing(store, rows):
    store.checkpoint(rows.checkpoint(1))
    before = everything(store)
    broken = rows.checkpoint(2)
    broken.triggers[0] = rows.trigger(2, model=None)
    with pytest.raises(Exception, match="NOT NULL"):
        store.checkpoint(broken)
    assert everything(store) == before
    store.checkpoint(rows.checkpoint(2))
    assert store.positions()[Partition("predictions", 0)] == 200


def test_numbers_of_numpy_come_back_as_plain_numbers(store, rows):
    store.checkpoint(
        Checkpoint(
            at=np.int64(5),
            positions={Partition("t", np.int32(0)): np.int64(7)},
            scores=[rows.score(1, at=np.int64(9), n=np.int64(3), statistic=np.float64(0.5), since=np.int64(4))],
        )
    )
    assert store.positions() == {Partition("t", 0): 7}
    (score,) = store.scores()
    assert (score.at, score.n, score.statistic, score.since) == (9, 3, 0.5, 4)


def test_a_float_is_not_taken_for_an_offset(store):
    with pytest.raises(TypeError):
        store.checkpoint(Checkpoint(at=1, positions={Partition("t", 0): 7.0}))
    assert store.positions() == {}


def test_undefined_and_infinite_numbers_survive(store, rows):
    store.checkpoint(Checkpoint(at=1, scores=[rows.score(1, statistic=math.nan, threshold=-math.inf)]))
    (score,) = store.scores()
    assert math.isnan(score.statistic)
    assert (score.threshold, score.effect) == (-math.inf, math.inf)


def test_two_windows_that_close_at_the_same_event_time_are_both_kept(store, rows):
    store.checkpoint(Checkpoint(at=1, scores=[rows.score(1, statistic=0.1), rows.score(1, statistic=0.2)]))
    assert len(store.scores()) == 2


def test_equal_states_have_equal_digests_however_they_came_about(opened, tmp_path):
    one, other = opened(), opened(tmp_path / "other.db")
    one.checkpoint(Checkpoint(at=1, parts={"m": {"a": b"1", "b": b"2"}}))
    other.checkpoint(Checkpoint(at=1, parts={"m": {"b": b"2", "c": b"3", "a": b"0"}}))
    assert one.states()[0].digest != other.states()[0].digest
    other.checkpoint(Checkpoint(at=9, parts={"m": {"a": b"1", "c": None}}))
    assert one.states()[0].digest == other.states()[0].digest
    assert (other.states()[0].parts, other.states()[0].size) == (2, 2)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Return the bytes of a store that was just made."""
    path = tmp_path_factory.mktemp("empty") / "anchorwatch.db"
    Store.open(path, holder="a test", now=0).close()
    return path.read_bytes()


PARTS = st.dictionaries(st.sampled_from("abc"), st.none() | st.binary(max_size=9000), max_size=3)
POSITIONS = st.dictionaries(
    st.builds(Partition, st.text(max_size=3), st.integers(0, 3)), st.integers(0, 2**63 - 1), max_size=3
)
STEPS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(["m", "é", ""]), PARTS), POSITIONS, st.booleans()), max_size=6
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_series_of_checkpoints_and_openings_leaves_what_a_dictionary_would(tmp_path, empty, steps):
    path = tmp_path / "property.db"
    for left in tmp_path.glob("property.db*"):
        left.unlink()
    path.write_bytes(empty)
    positions, states = {}, {}
    store = Store.open(path, holder="a test", now=0)
    for k, (parts, moved, again) in enumerate(steps):
        store.checkpoint(Checkpoint(at=k, positions=moved, parts=parts))
        positions |= moved
        for model, changed in parts.items():
            merged = states.get(model, {}) | changed
            states[model] = {part: content for part, content in merged.items() if content is not None}
        if again:
            store.close()
            store = Store.open(path, holder="a test", now=0)
    assert store.positions() == positions
    assert {model: store.parts(model) for model in store.models()} == {m: p for m, p in states.items() if p}
    store.close()


def test_the_journal_stays_within_its_bound(store):
    for k in range(40):
        store.checkpoint(Checkpoint(at=k, parts={"m": {"big": os.urandom(2**20)}}))
    assert journal(store.path).stat().st_size < WAL_PAGES * 4096 + 4 * 2**20


def test_a_journal_that_grew_while_somebody_read_is_shortened_once_they_are_done(store):
    with Reader.open_reader(store.path) as reader:
        with reader.snapshot():
            assert reader.models() == []
            k = 0
            while journal(store.path).stat().st_size <= WAL_LIMIT:
                store.checkpoint(Checkpoint(at=k, parts={"m": {"big": os.urandom(2**22)}}))
                k += 1
            assert reader.models() == []
        store.checkpoint(Checkpoint(at=k))
        assert journal(store.path).stat().st_size < 2**20
        assert reader.models() == ["m"]


def test_a_store_in_memory_needs_no_file_and_no_lock(opened, rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = opened(Path(":memory:"))
    store.checkpoint(rows.checkpoint(1))
    assert store.parts("fraud")["join"] == b"j1"
    assert store.unpublished(5) == [rows.outgoing(1)]
    assert store.check() == []
    assert opened(Path(":memory:")).models() == []
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="memory"):
        Reader.open_reader(Path(":memory:"))
