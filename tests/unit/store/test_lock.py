import os
import signal
import socket
import subprocess
import sys

import pytest

from anchorwatch.errors import StoreTaken
from anchorwatch.store.connection import look
from anchorwatch.store.curator import Curator
from anchorwatch.store.reader import Reader
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store

WRITER = """
import sys
from pathlib import Path
from anchorwatch.errors import StoreError
from anchorwatch.events.records import Outgoing
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store
store = Store.open(Path(sys.argv[1]), holder="the zombie", now=0)
store.checkpoint(Checkpoint(at=1, parts={"m": {"a": b"zombie"}}, outbox=[Outgoing("1", "t", None, b"z")]))
print("open", flush=True)
sys.stdin.readline()
for act in (
    lambda: store.checkpoint(Checkpoint(at=3, parts={"m": {"a": b"woken"}}, outbox=[Outgoing("2", "t", None, b"z")])),
    lambda: store.unpublished(10),
    lambda: store.published(["1"]),
    lambda: store.heartbeat(3),
    lambda: store.prune(3),
    lambda: store.promote("name", "id", now=3),
):
    try:
        act()
        print("did it")
    except StoreError as error:
        print(type(error).__name__, error)
store.close()
"""


@pytest.fixture
def other(path):
    """Another process that holds the store and waits for a line before it goes on writing."""
    Store.open(path, holder="a test", now=0).close()
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def test_a_second_writer_is_refused_and_told_who_holds_the_store(path, other):
    with pytest.raises(StoreTaken) as refused:
        Store.open(path, holder="me", now=5)
    for named in ("the zombie", str(other.pid), socket.gethostname(), "1970-01-01T00:00:00", "--takeover"):
        assert named in str(refused.value)


def test_a_second_writer_in_the_same_process_is_refused_too(path, opened):
    opened()
    with pytest.raises(StoreTaken):
        opened()


def test_a_refused_writer_leaves_no_trace(path, other):
    with Reader.open_reader(path) as reader:
        before = reader.progress()
        with pytest.raises(StoreTaken):
            Store.open(path, holder="me", now=5)
        assert reader.progress() == before


def test_a_writer_that_was_killed_needs_no_takeover(path, other, opened):
    other.send_signal(signal.SIGKILL)
    other.wait()
    store = opened()
    assert store.epoch == 3
    assert store.parts("m") == {"a": b"zombie"}


def test_failure_4_a_writer_that_was_stopped_and_taken_over_changes_and_publishes_nothing_when_it_wakes(
    path, other, opened
):
    os.kill(other.pid, signal.SIGSTOP)
    with pytest.raises(StoreTaken, match="the zombie"):
        opened()
    store = opened(takeover=True)
    store.checkpoint(Checkpoint(at=2, parts={"m": {"a": b"mine"}}))
    os.kill(other.pid, signal.SIGCONT)
    said, _ = other.communicate("go on\n", timeout=20)
    lines = said.splitlines()
    assert len(lines) == 6
    assert all(line.startswith("StoreTaken") and "'a test'" in line and str(os.getpid()) in line for line in lines)
    assert store.parts("m") == {"a": b"mine"}
    assert [message.id for message in store.unpublished(9)] == ["1"]
    assert store.progress().heartbeat == 2
    store.checkpoint(Checkpoint(at=4, parts={"m": {"a": b"still mine"}}))


def test_after_a_takeover_the_new_holder_is_protected_though_the_old_one_has_ended(path, other, opened):
    opened(takeover=True)
    other.kill()
    other.wait()
    with pytest.raises(StoreTaken, match="a test"):
        opened()


def test_of_two_takeovers_the_last_one_holds_the_store(path, other, opened):
    first, second = opened(takeover=True), opened(takeover=True)
    with pytest.raises(StoreTaken):
        first.checkpoint(Checkpoint(at=1))
    second.checkpoint(Checkpoint(at=1))
    first.close()
    with pytest.raises(StoreTaken):
        opened()


def test_closing_twice_and_opening_again_works(opened):
    store = opened()
    store.close()
    store.close()
    assert opened().epoch == 2


def test_a_writer_that_could_not_open_the_file_leaves_the_lock_free(path, opened):
    opened().close()
    content = path.read_bytes()
    path.write_bytes(b"x" * 200)
    with pytest.raises(Exception, match="not a SQLite database"):
        opened()
    path.write_bytes(content)
    opened()


def test_readers_and_baseline_commands_work_beside_the_writer(path, other, rows):
    with Reader.open_reader(path) as reader, Curator.open_curator(path, holder="baseline build", now=5) as curator:
        assert reader.parts("m") == {"a": b"zombie"}
        curator.add_baselines([rows.baseline(1)])
        curator.promote("production", rows.baseline(1).id, now=6)
        assert reader.baseline("production") == rows.baseline(1)
        assert reader.progress().epoch == 2


def test_a_baseline_command_makes_the_store_where_there_is_none(path, rows, opened):
    with Curator.open_curator(path, holder="baseline build", now=5) as curator:
        curator.add_baselines([rows.baseline(1)])
    assert look(path)
    store = opened()
    assert (store.epoch, store.baseline(rows.baseline(1).id)) == (1, rows.baseline(1))


def test_a_snapshot_sees_one_moment_while_the_writer_goes_on(store):
    store.checkpoint(Checkpoint(at=1, parts={"m": {"a": b"1"}}))
    with Reader.open_reader(store.path) as reader:
        with reader.snapshot():
            assert reader.parts("m") == {"a": b"1"}
            store.checkpoint(Checkpoint(at=2, parts={"m": {"a": b"2"}, "n": {"a": b"2"}}))
            assert reader.models() == ["m"]
            assert reader.parts("m") == {"a": b"1"}
        assert reader.models() == ["m", "n"]
        assert reader.parts("m") == {"a": b"2"}
