import subprocess
import sys
from pathlib import Path

import pytest

from anchorwatch.errors import StoreError
from anchorwatch.store.reader import Reader
from anchorwatch.store.store import Store

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from dying_writer import checkpoint
from anchorwatch.store.store import Store
store = Store.open(Path(sys.argv[1]), holder="busy", now=1)
print("open", flush=True)
k = 0
while True:
    k += 1
    store.checkpoint(checkpoint(k))
"""


def test_a_backup_taken_while_another_process_writes_is_one_moment_of_the_store(path, tmp_path):
    Store.open(path, holder="a test", now=0).close()
    numbers = []
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path, Path(__file__).parent], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "open\n"
        with Reader.open_reader(path) as reader:
            for k in range(5):
                reader.backup(tmp_path / f"backup-{k}.db")
                numbers.append(reader.progress().number)
        writer.kill()
    for k, later in enumerate(numbers):
        copy = Store.open(tmp_path / f"backup-{k}.db", holder="restored", now=2)
        number = copy.progress().number
        assert number <= later
        assert copy.check() == []
        if number:
            assert copy.parts("m")["number"] == b"%d" % number
            assert {copy.positions()[p] for p in copy.positions()} == {number}
            assert [message.id for message in copy.unpublished(10**6)] == [f"out-{i}" for i in range(1, number + 1)]
        copy.close()
    assert numbers[-1] > numbers[0]


def test_a_backup_is_one_file_and_the_same_store(store, rows, tmp_path):
    store.checkpoint(rows.checkpoint(1))
    (tmp_path / "copies").mkdir()
    store.backup(tmp_path / "copies" / "backup.db")
    assert [p.name for p in (tmp_path / "copies").iterdir()] == ["backup.db"]
    with Reader.open_reader(tmp_path / "copies" / "backup.db") as copy:
        assert copy.id == store.id
        assert copy.parts("fraud") == store.parts("fraud")


def test_a_backup_never_overwrites(store, tmp_path):
    (tmp_path / "there").write_text("precious")
    with pytest.raises(StoreError, match="never overwrites"):
        store.backup(tmp_path / "there")
    assert (tmp_path / "there").read_text() == "precious"


def test_a_backup_that_cannot_be_written_says_where(store, tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        store.backup(tmp_path / "nowhere" / "backup.db")
