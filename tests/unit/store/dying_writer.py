"""Run as a program: writers that are killed. It imports little and forks, so that a death costs milliseconds.

`statements DIRECTORY`: for k = 0, 1, ... copies DIRECTORY/base.db to DIRECTORY/k.db and kills a writer of it before its
k-th SQL statement, until one lives to the end; prints how many died.

`creation DIRECTORY`: the same for the making of DIRECTORY/k/anchorwatch.db.

`bursts STORE ROUNDS SEED`: again and again a writer of the same store is killed, in turn a few random milliseconds
after it was started and after it made progress; each first sees that nothing acknowledged is missing. Prints the last
acknowledged number.
"""

import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path

from anchorwatch.events.records import Outgoing, Partition
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store


def checkpoint(k):
    """Return the k-th checkpoint: everything in it says k, and it is large enough to fill the journal."""
    return Checkpoint(
        at=k,
        positions={Partition("t", 0): k, Partition("t", 1): k},
        parts={"m": {"number": b"%d" % k, "big": (b"%d," % k) * 3000, f"own-{k}": b"", f"own-{k - 1}": None}},
        outbox=[Outgoing(f"out-{k}", "t", None, b"%d" % k)],
    )


def contradictions(store):
    """Return what does not fit together in a store that only ever got such checkpoints in order."""
    k = store.progress().number
    parts = store.parts("m")
    expected = {} if k == 0 else {part: c for part, c in checkpoint(k).parts["m"].items() if c is not None}
    published = sorted(int(i) for (i,) in store._connection.execute("SELECT substr(id, 5) FROM published"))
    waiting = [int(message.value) for message in store.unpublished(10**6)]
    found = store.check()
    if parts != expected:
        found.append(f"parts are not those of checkpoint {k}")
    if store.positions() != ({} if k == 0 else dict(checkpoint(k).positions)):
        found.append(f"positions {store.positions()} are not those of checkpoint {k}")
    if published + waiting != list(range(1, k + 1)):
        found.append(f"published {published[-3:]} and waiting {waiting} are not 1 to {k}")
    return found


def fork(child):
    """Run `child` in a process of its own, and return its id."""
    pid = os.fork()
    if pid == 0:
        try:
            child()
        except BaseException as error:  # noqa: BLE001 - it must not return into the parent's code
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(2)
        os._exit(0)
    return pid


def die_before(countdown):
    """Have every connection that is made from now on kill this process when `countdown` statements were run."""
    left, connect = iter(range(countdown)), sqlite3.connect

    def doomed(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda _: next(left, None) is None and os.kill(os.getpid(), signal.SIGKILL))
        return connection

    sqlite3.connect = doomed


def one_batch(path):
    """Do what a daemon does for a batch, from its start to its end."""
    store = Store.open(path, holder="dying", now=1)
    k = store.progress().number + 1
    store.checkpoint(checkpoint(k))
    store.published([message.id for message in store.unpublished(10)])
    store.heartbeat(k)
    store.close()


def until_one_lives(child):
    """Run `child(k)` in processes that die before their k-th statement, for k = 0, 1, ...; print how many died."""
    k = 0
    while True:

        def mortal(k=k):
            die_before(k)
            child(k)

        _, status = os.waitpid(fork(mortal), 0)
        if not os.WIFSIGNALED(status):
            print(k if status == 0 else f"failed with {status}")
            return
        k += 1


def statements(directory):
    def child(k):
        shutil.copy(directory / "base.db", directory / f"{k}.db")
        one_batch(directory / f"{k}.db")

    until_one_lives(child)


def creation(directory):
    from anchorwatch.store import schema  # noqa: F401 - once, before the forks

    def child(k):
        (directory / str(k)).mkdir()
        Store.open(directory / str(k) / "anchorwatch.db", holder="dying", now=1).close()

    until_one_lives(child)


def endless(path, acknowledged):
    store = Store.open(path, holder="dying", now=1)
    store._connection.execute("PRAGMA wal_autocheckpoint = 3").fetchone()  # the journal is emptied all the time
    found = contradictions(store)
    k = store.progress().number
    if k < acknowledged.stat().st_size:
        found.append(f"checkpoint {acknowledged.stat().st_size} was acknowledged, the store is at {k}")
    if found:
        raise AssertionError(found)
    file = os.open(acknowledged, os.O_WRONLY | os.O_APPEND)
    os.ftruncate(file, k)
    while True:
        k += 1
        store.checkpoint(checkpoint(k))
        os.write(file, b".")
        store.published([message.id for message in store.unpublished(10)])


def bursts(path, rounds, seed):
    acknowledged = path.with_name("acknowledged")
    acknowledged.touch()
    rng = random.Random(seed)
    for turn in range(rounds):
        before = acknowledged.stat().st_size
        pid = fork(lambda: endless(path, acknowledged))
        while turn % 2 and acknowledged.stat().st_size < before + 2 and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(rng.uniform(0.001, 0.03))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            print(f"failed with {status}")
            return
    print(acknowledged.stat().st_size)


if __name__ == "__main__":
    where = Path(sys.argv[2])
    if sys.argv[1] == "statements":
        statements(where)
    elif sys.argv[1] == "creation":
        creation(where)
    else:
        bursts(where, int(sys.argv[3]), int(sys.argv[4]))
