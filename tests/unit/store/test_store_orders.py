"""Orders: appended by any process beside the writer, numbered once and for all."""

import sqlite3
import threading

import pytest

from anchorwatch.errors import StoreError
from anchorwatch.store.curator import Curator
from anchorwatch.store.reader import Reader
from anchorwatch.store.rows import Checkpoint


def curator(path):
    return Curator.open_curator(path, holder="somebody", now=2)


def test_orders_are_given_beside_the_writer_which_goes_on_as_before(store, rows):
    store.checkpoint(rows.checkpoint(1))
    with curator(store.path) as other:
        numbers = [other.give_order("fraud", b'{"a":1}', now=5), other.give_order("", b"{}", now=6)]
    store.checkpoint(rows.checkpoint(2))
    found = store.orders()
    assert [(row.number, row.model, row.at, row.document) for row in found] == [
        (numbers[0], "fraud", 5, b'{"a":1}'), (numbers[1], "", 6, b"{}"),
    ]  # fmt: skip
    assert store.orders(numbers[0]) == found[1:]
    assert store.progress().number == 2


def test_a_reader_sees_orders_and_cannot_give_any(store):
    store.give_order("fraud", b"{}", now=1)
    with Reader.open_reader(store.path) as reader:
        assert len(reader.orders()) == 1
        assert not hasattr(reader, "give_order")


def test_a_number_is_never_given_twice(store):
    first = store.give_order("fraud", b"{}", now=1)
    sqlite3.connect(store.path, isolation_level=None).execute("DELETE FROM orders").connection.close()
    assert store.give_order("fraud", b"{}", now=2) > first


def test_an_order_waits_for_a_checkpoint_that_is_being_written(store):
    """The writer is in the middle of a transaction: the order is neither refused nor lost."""
    given = []

    def give():
        with curator(store.path) as other:
            given.append(other.give_order("fraud", b"{}", now=5))

    with store._writing():
        thread = threading.Thread(target=give)
        thread.start()
        thread.join(0.2)
        assert given == []
    thread.join(10)
    assert [row.number for row in store.orders()] == given == [1]
    store.checkpoint(Checkpoint(at=9))


def test_a_store_of_before_orders_is_brought_to_this_version_by_its_writer(path, opened, rows):
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE orders")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_orders'")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(StoreError, match="Start the daemon once"):
        curator(path)
    again = opened()
    assert again.give_order("fraud", b"{}", now=3) == 1
    assert again.parts("fraud") != {}
