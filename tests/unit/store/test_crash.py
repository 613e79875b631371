"""Real processes, really killed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from anchorwatch.store.reader import Reader
from anchorwatch.store.store import Store

PROGRAM = Path(__file__).with_name("dying_writer.py")
SPEC = importlib.util.spec_from_file_location("dying_writer", PROGRAM)
dying_writer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(dying_writer)


def run(*arguments):
    done = subprocess.run(
        [sys.executable, PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return int(done.stdout)


def test_failure_1_killed_before_any_statement_the_store_is_as_before_the_batch_or_after_it(tmp_path):
    base = Store.open(tmp_path / "base.db", holder="a test", now=1)
    base.checkpoint(dying_writer.checkpoint(1))
    base.close()
    deaths = run("statements", tmp_path)
    assert deaths > 30
    numbers = []
    for k in range(deaths):
        with Reader.open_reader(tmp_path / f"{k}.db") as reader:
            numbers.append(reader.progress().number)
        store = Store.open(tmp_path / f"{k}.db", holder="the next", now=2)
        assert dying_writer.contradictions(store) == []
        store.checkpoint(dying_writer.checkpoint(numbers[-1] + 1))
        assert dying_writer.contradictions(store) == []
        store.close()
    assert numbers == sorted(numbers)
    assert set(numbers) == {1, 2}


def test_failure_2_33_killed_in_bursts_also_while_the_journal_is_emptied_nothing_acknowledged_is_lost(tmp_path):
    path = tmp_path / "anchorwatch.db"
    Store.open(path, holder="a test", now=1).close()
    acknowledged = run("bursts", path, 50, 7)
    assert acknowledged >= 50
    store = Store.open(path, holder="the last", now=2)
    assert dying_writer.contradictions(store) == []
    assert store.progress().number >= acknowledged
    store.close()


def test_killed_before_any_statement_while_it_is_made_the_next_one_makes_it_whole(tmp_path):
    deaths = run("creation", tmp_path)
    assert deaths > 20
    for k in range(deaths):
        path = tmp_path / str(k) / "anchorwatch.db"
        store = Store.open(path, holder="the next", now=2)
        store.checkpoint(dying_writer.checkpoint(1))
        assert dying_writer.contradictions(store) == []
        store.close()
        assert sorted(p.name for p in path.parent.iterdir()) == ["anchorwatch.db", "anchorwatch.db.lock"]
