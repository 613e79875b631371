import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from anchorwatch.errors import StoreTaken
from anchorwatch.store.connection import connect, journal, look
from anchorwatch.store.curator import Curator
from anchorwatch.store.lock import Holder, Lock
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


def test_a_writer_whose_lock_is_taken_over_while_it_opens_does_not_raise_the_epoch(path, opened):
    opened().close()
    slow = Holder.here("slow", 1)
    lock = Lock.acquire(path, slow)
    epoch = opened(takeover=True).epoch
    connection = connect(path, "rw")
    with pytest.raises(StoreTaken, match="while this one was opening it"):
        Store(path, connection, lock, slow)
    connection.close()
    lock.release()
    with Reader.open_reader(path) as reader:
        assert reader.progress().epoch == epoch


def test_of_many_that_take_over_at_once_one_writes_and_it_is_the_one_that_is_protected(path, opened):
    opened().close()
    count = 6
    together, opened_all, tried_all = (Barrier(count, timeout=20) for _ in range(3))

    def attempt(name):
        together.wait()
        try:
            store = Store.open(path, holder=name, now=1, takeover=True)
        except StoreTaken:
            store = None
        opened_all.wait()
        wrote = refused = False
        if store is not None:
            try:
                store.checkpoint(Checkpoint(at=1, parts={"m": {"a": name.encode()}}))
                wrote = True
            except StoreTaken:
                pass
        tried_all.wait()
        if wrote:
            try:
                Store.open(path, holder="late", now=1)
            except StoreTaken as error:
                refused = repr(name) in str(error)
        if store is not None:
            store.close()
        return name, wrote, refused

    with ThreadPoolExecutor(count) as pool:
        for _ in range(8):
            results = list(pool.map(attempt, [f"writer {k}" for k in range(count)]))
            ((name, _, refused),) = [result for result in results if result[1]]
            assert refused
            with Reader.open_reader(path) as reader:
                assert reader.parts("m") == {"a": name.encode()}


def test_baseline_commands_and_checkpoints_wait_for_each_other(store, rows):
    def add():
        with Curator.open_curator(store.path, holder="baseline build", now=5) as curator:
            for k in range(60):
                curator.add_baselines([rows.baseline(k)])

    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add)
        k = 0
        while not adding.done() or k < 60:
            k += 1
            store.checkpoint(Checkpoint(at=k, parts={"m": {"a": b"%d" % k}}))
        adding.result()
    assert len(store.baselines()) == 60
    assert store.parts("m") == {"a": b"%d" % k}


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


def test_looking_at_the_store_within_the_writers_process_keeps_its_journal_from_being_deleted_by_others(store):
    # POSIX drops all locks of a process on a file when it closes any descriptor of it
    store.checkpoint(Checkpoint(at=1, parts={"m": {"a": b"1"}}))
    Reader.open_reader(store.path).close()
    Curator.open_curator(store.path, holder="baseline list", now=1).close()
    with pytest.raises(StoreTaken):
        Store.open(store.path, holder="second", now=1)
    before = journal(store.path).stat().st_ino
    visit = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM parts').fetchall(); c.close()"
    )
    subprocess.run([sys.executable, "-c", visit, store.path], check=True, timeout=20)
    assert journal(store.path).stat().st_ino == before
    store.checkpoint(Checkpoint(at=2, parts={"m": {"a": b"2"}}))
    with Reader.open_reader(store.path) as reader:
        assert reader.parts("m") == {"a": b"2"}


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
