"""Events that wait are released in one order, and leave nothing behind."""

import dataclasses

import numpy as np

from anchorwatch.engine.pending import Pending
from anchorwatch.events.columns import Labels, Predictions, Shape

SHAPE = Shape(("amount",), ("user",))


def predictions(times, words, partition=0):
    n = len(times)
    return Predictions(
        time=np.array(times, np.int64),
        ident=np.arange(2 * n, dtype=np.uint64).reshape(n, 2),
        partition=np.full(n, partition, np.int32),
        offset=np.arange(n),
        version=np.arange(n, dtype=np.int32),
        versions=tuple(f"v{word}" for word in words),
        numeric=np.zeros((1, n)),
        numeric_fault=np.zeros((1, n), np.uint8),
        category=np.arange(n, dtype=np.int32)[np.newaxis],
        category_fault=np.zeros((1, n), np.uint8),
        vocabulary=(tuple(words),),
        token=np.zeros(n, np.uint64),
    )


def test_words_that_nobody_waits_with_any_more_are_forgotten():
    """A column whose values never repeat must not make every batch dearer than the last."""
    pending, longest = Pending.empty(SHAPE), 0
    for batch in range(40):
        times = range(batch * 100, batch * 100 + 100)
        pending = pending.add(("p/0",), predictions(times, [f"user-{time}" for time in times]), Labels.empty())
        pending, released = pending.release(batch * 100 + 60)
        words = [released.predictions.vocabulary[0][code] for code in released.predictions.category[0]]
        assert words == [f"user-{time}" for time in released.time]
        longest = max(longest, len(pending.predictions.vocabulary[0]), len(pending.predictions.versions))
    assert longest < 1500


def test_ties_go_by_kind_then_id_then_partition_then_place():
    """Total, and the same in whatever order the events came."""
    some = predictions([5, 5, 5, 4], "abcd")
    some = dataclasses.replace(some, ident=np.array([[2, 0], [1, 0], [1, 0], [9, 0]], np.uint64))
    labels = Labels(
        np.array([5, 4]), np.zeros((2, 2), np.uint64), np.zeros(2, np.int32), np.arange(2), *[np.zeros(2)] * 2
    )
    orders = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        pending = Pending.empty(SHAPE).add(("p/0",), some.take(np.array(order)), labels)
        _, released = pending.release(6)
        orders.append((released.predictions.offset.tolist(), released.prediction_at.tolist()))
        assert released.time.tolist() == [4, 4, 5, 5, 5, 5]
    assert orders == [([3, 1, 2, 0], [0, 2, 3, 4])] * 3
