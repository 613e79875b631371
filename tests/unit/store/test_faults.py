"""Everything that can be wrong with the file gives one StoreError that says what to do, and never a fresh start."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from anchorwatch.errors import StoreError
from anchorwatch.store import schema
from anchorwatch.store.connection import VERSION, journal
from anchorwatch.store.curator import Curator
from anchorwatch.store.reader import Reader
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store


def as_writer(path):
    Store.open(path, holder="a test", now=1).close()


def as_reader(path):
    Reader.open_reader(path).close()


def as_curator(path):
    Curator.open_curator(path, holder="a test", now=1).close()


EACH = pytest.mark.parametrize("open_as", [as_writer, as_reader, as_curator])


def made(path, rows, count=1):
    store = Store.open(path, holder="a test", now=1)
    for k in range(1, count + 1):
        store.checkpoint(rows.checkpoint(k))
    store.close()


def refused(open_as, path, *said):
    """Assert that opening fails with this in the message, twice, and leaves the file as it is."""
    before = path.read_bytes() if path.is_file() else None
    for _ in range(2):
        with pytest.raises(StoreError) as error:
            open_as(path)
        for words in (str(path), *said):
            assert words in str(error.value)
    assert (path.read_bytes() if path.is_file() else None) == before


@EACH
def test_a_missing_directory_is_named(tmp_path, open_as):
    refused(open_as, tmp_path / "nowhere" / "a.db", f"directory {tmp_path / 'nowhere'} does not exist", "Create it")


@EACH
def test_a_directory_is_not_a_store(tmp_path, open_as):
    refused(open_as, tmp_path, "is a directory", "anchorwatch.db")


def test_a_reader_does_not_make_a_store(path):
    refused(as_reader, path, "there is no store", "anchorwatch run")
    assert not path.exists()


@EACH
def test_failure_33_an_empty_file_is_not_taken_for_a_new_store(path, open_as):
    path.touch()
    refused(open_as, path, "empty", "backup")


@EACH
@pytest.mark.parametrize("content", [b"models:\n  fraud: {}\n", b"\0" * 5000, b"SQLite format 3\0"])
def test_another_kind_of_file_is_refused(path, open_as, content):
    path.write_bytes(content)
    refused(open_as, path, "not a SQLite database", "`store`")


@EACH
def test_a_sqlite_database_of_another_program_is_refused(path, open_as):
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE store (id TEXT)")
    other.close()
    refused(open_as, path, "another program")


@EACH
def test_a_newer_store_is_refused(path, rows, open_as):
    made(path, rows)
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {VERSION + 1}")
    other.close()
    refused(open_as, path, "newer anchorwatch", "backup made before the upgrade")


@EACH
def test_failure_33_a_journal_whose_store_is_gone_is_not_thrown_away(path, rows, open_as):
    store = Store.open(path, holder="a test", now=1)
    store.checkpoint(rows.checkpoint(1))
    kept = path.with_name("kept")
    shutil.copy(journal(path), kept)
    store.close()
    path.unlink()
    shutil.move(kept, journal(path))
    refused(open_as, path, "is gone but its journal", "Put the file back")
    assert not path.exists()


@EACH
@pytest.mark.parametrize("keep", [0.99, 0.5, 0.1])
def test_failure_33_a_store_that_was_cut_off_is_damaged(path, rows, open_as, keep):
    made(path, rows, 5)
    os.truncate(path, int(path.stat().st_size * keep))
    refused(open_as, path, "damaged", "backup")


def test_failure_33_overwritten_pages_are_damage_and_never_an_empty_state(path, rows):
    made(path, rows, 5)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    refused(as_writer, path, "damaged", "backup")


def test_failure_33_a_flipped_bit_in_a_state_is_found_when_it_is_read(path, rows):
    made(path, rows, 1)
    content = path.read_bytes()
    assert content.count(b"w1" * 100) == 1
    path.write_bytes(content.replace(b"w1" * 100, b"w1" * 99 + b"w0"))
    store = Store.open(path, holder="a test", now=1)
    with pytest.raises(StoreError, match=r"part 'windows' of the state of model 'fraud' is not what was written"):
        store.parts("fraud")
    (problem,) = store.check()
    assert "windows" in problem
    store.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM parts WHERE part = 'join'", "should have 3 parts and has 2"),
        ("DELETE FROM parts", "should have 3 parts and has 0"),
        ("DELETE FROM states", "should have 0 parts and has 3"),
        ("UPDATE parts SET part = 'joins' WHERE part = 'join'", "should have 3 parts"),
    ],
)
def test_a_state_that_lost_a_part_is_damaged_and_not_begun_anew(path, rows, damage, said):
    made(path, rows)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(damage)
    other.close()
    with Reader.open_reader(path) as reader:
        with pytest.raises(StoreError, match=said):
            reader.parts("fraud")
        assert len(reader.check()) == 1


@pytest.mark.parametrize(
    "damage", ["UPDATE positions SET offset = offset + 1 WHERE number = 3", "DELETE FROM positions"]
)
def test_positions_that_are_not_those_of_the_last_checkpoint_are_damage(path, rows, damage):
    made(path, rows)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(damage)
    other.close()
    with Reader.open_reader(path) as reader:
        with pytest.raises(StoreError, match="positions"):
            reader.positions()
        assert len(reader.check()) == 1


def test_a_store_without_its_tables_is_damaged(path, rows):
    made(path, rows)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("DROP TABLE positions")
    other.close()
    with Reader.open_reader(path) as reader, pytest.raises(StoreError, match="does not have the tables"):
        reader.positions()


def test_failure_33_a_full_disk_leaves_the_last_checkpoint_and_is_said(opened, rows):
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages + 10}").fetchone()
    with pytest.raises(StoreError, match=r"disk is full.*will be read again.*Free some space"):
        store.checkpoint(Checkpoint(at=5, parts={"fraud": {"join": b"new", "big": b"x" * 10**6}}))
    assert store.parts("fraud")["join"] == b"j1"
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}").fetchone()
    store.checkpoint(Checkpoint(at=5, parts={"fraud": {"join": b"new", "big": b"x" * 10**6}}))
    assert store.parts("fraud")["join"] == b"new"


LIMITED = """
import resource, signal, sys
from pathlib import Path
from anchorwatch.errors import StoreError
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store
store = Store.open(Path(sys.argv[1]), holder="limited", now=1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**18, 2**18))
k = 0
try:
    while True:
        k += 1
        store.checkpoint(Checkpoint(at=k, parts={"m": {"k": str(k).encode(), "big": str(k).encode() * 10_000}}))
except StoreError as error:
    print(k - 1, error)
"""


def test_failure_33_a_file_that_may_not_grow_any_more_stops_the_writer_after_the_last_whole_checkpoint(path, opened):
    opened().close()
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, timeout=30, check=True)
    written, said = done.stdout.split(" ", 1)
    assert "cannot be" in said
    store = opened()
    assert store.parts("m") == {"k": written.encode(), "big": written.encode() * 10_000}
    assert store.check() == []


def test_failure_33_a_store_that_another_program_keeps_locked_is_said_after_a_wait(store):
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store._connection.execute("PRAGMA busy_timeout = 50").fetchone()
    with pytest.raises(StoreError, match=r"locked by another program.*fuser"):
        store.checkpoint(Checkpoint(at=1, parts={"m": {"a": b"1"}}))
    other.execute("ROLLBACK")
    other.close()
    store.checkpoint(Checkpoint(at=1, parts={"m": {"a": b"1"}}))


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from anchorwatch.errors import StoreError
from anchorwatch.store.reader import Reader
from anchorwatch.store.store import Store
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    Store.open(path, holder="nobody", now=1)
except StoreError as error:
    print(error)
try:
    print(Reader.open_reader(path).parts("fraud")["join"])
except StoreError as error:
    print(error)
"""


@pytest.fixture
def common():
    """Make a directory that every user can reach."""
    directory = Path(tempfile.mkdtemp(prefix="anchorwatch-"))
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


def unprivileged(path):
    """Return what a process without rights of its own says of opening the store for writing, and for reading."""
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, path], capture_output=True, text=True, timeout=30, check=True
    )
    written, read = done.stdout.splitlines()
    return written, read


@pytest.mark.parametrize("running", [False, True])
def test_failure_33_a_store_that_may_not_be_written_can_still_be_read(common, rows, running):
    path = common / "anchorwatch.db"
    store = Store.open(path, holder="a test", now=1)
    store.checkpoint(rows.checkpoint(1))
    if not running:
        store.close()
        path.with_name("anchorwatch.db.lock").unlink()
    for file in common.iterdir():
        file.chmod(0o444)
    common.chmod(0o555)
    written, read = unprivileged(path)
    store.close()
    assert str(path) in written
    assert "this user may" in written
    assert read == "b'j1'"


def test_a_store_that_may_not_be_read_is_said(common, rows):
    path = common / "anchorwatch.db"
    made(path, rows)
    path.chmod(0o000)
    written, read = unprivileged(path)
    assert "Permission denied" in written
    assert "cannot be opened" in read
    assert "this user may read" in read


def test_the_version_counts_the_migrations():
    assert len(schema.MIGRATIONS._migrations) == VERSION


def test_a_migration_that_fails_half_way_has_not_happened(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE triggers (in_the_way TEXT)")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        schema.migrate(connection)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {"_sqlite_migrations", "triggers"}
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)
    connection.execute("DROP TABLE triggers")
    schema.migrate(connection)
    schema.migrate(connection)
    assert connection.execute("SELECT name FROM _sqlite_migrations").fetchall() == [
        ("m001_first",),
        ("m002_incidents",),
        ("m003_intervals",),
        ("m004_orders",),
        ("m005_stages",),
    ]
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()
