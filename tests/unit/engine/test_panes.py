"""Windows hold what a loop over single rows puts into them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.engine.panes import Panes, Span

WIDTH = 6
SPANS = st.sampled_from(
    [(4, None), (None, 10), (4, 10), (7, 3)],
).flatmap(lambda span: st.integers(1, 3).map(lambda panes: Span(*span, panes)))
ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, WIDTH - 1)), max_size=40)


def windows(span, rows, cuts, end):
    """Take (time, cell) rows of one group in pieces; event time comes to each piece's end, and to `end`."""
    panes, found = Panes.fresh(1, WIDTH), []
    for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        times = np.array([time for time, _ in rows[start:stop]], np.int64)
        cells = np.array([[cell for _, cell in rows[start:stop]]], np.int64).reshape(1, -1)
        closed = panes.add(span, 0, cells, times, np.arange(start, stop))
        frontier = rows[stop][0] if stop < len(rows) else end
        closed += panes.expire(span, frontier)
        found += [(w.moment.time, w.start, w.counts.tolist(), w.rows) for w in closed]
        panes = Panes.from_plain(panes.to_plain())
    return found, int(panes.rows[0])


def panes_naively(span, rows, end):
    """Put rows into panes one after the other; return each closed pane as (closing time, start, rows)."""
    closed, pane, start = [], [], 0
    for time, cell in rows:
        if pane and span.time is not None and time >= start + span.time:
            closed.append((start + span.time, start, pane))
            pane = []
        if not pane:
            start = time if span.size is not None else time // span.time * span.time
        pane = [*pane, cell]
        if span.size is not None and len(pane) == span.size:
            closed.append((time, start, pane))
            pane = []
    if pane and span.time is not None and end >= start + span.time:
        closed.append((start + span.time, start, pane))
        pane = []
    return closed, pane


def naively(span, rows, end):
    """Make windows of the last panes; by time alone a window is no longer than its panes together."""
    closed, pane = panes_naively(span, rows, end)
    found = []
    for i, (moment, _, _) in enumerate(closed):
        kept = closed[max(i - span.panes + 1, 0) : i + 1]
        if span.size is None:
            kept = [p for p in kept if p[1] >= moment - span.panes * span.time]
        cells = [cell for _, _, cells in kept for cell in cells]
        found.append((moment, kept[0][1], np.bincount(cells, minlength=WIDTH).tolist(), len(cells)))
    return found, len(pane)


@given(SPANS, ROWS, st.lists(st.integers(0, 40), max_size=5), st.integers(0, 30))
def test_windows_are_those_of_a_loop_over_rows(span, steps, cuts, rest):
    """By count, by time and by whichever is full first; tumbling and sliding; however the rows were cut."""
    times = np.cumsum([step for step, _ in steps]).tolist() if steps else []
    rows = [(time, cell) for time, (_, cell) in zip(times, steps, strict=True)]
    end = (times[-1] if times else 0) + 1 + rest
    cuts = sorted(min(cut, len(rows)) for cut in cuts)
    assert windows(span, rows, cuts, end) == naively(span, rows, end)


@given(st.sampled_from([Span(4, None, 1), Span(None, 10, 1), Span(4, 10, 1)]), ROWS)
def test_every_row_is_in_exactly_one_tumbling_window_or_still_in_the_open_one(span, steps):
    times = np.cumsum([step for step, _ in steps]).tolist() if steps else []
    rows = [(time, cell) for time, (_, cell) in zip(times, steps, strict=True)]
    found, still_open = windows(span, rows, [], times[-1] + 1 if times else 0)
    total = np.sum([counts for _, _, counts, _ in found], axis=0) if found else np.zeros(WIDTH)
    assert total.sum() + still_open == len(rows)
    if not still_open:
        assert total.tolist() == np.bincount([cell for _, cell in rows], minlength=WIDTH).tolist()


def test_groups_have_windows_of_their_own():
    panes, span = Panes.fresh(2, WIDTH), Span(2, None, 1)
    cells, times, at = np.array([[1]]), np.array([5]), np.array([0])
    assert panes.add(span, 0, cells, times, at) == []
    assert panes.add(span, 1, cells, times, at) == []
    assert [w.group for w in panes.add(span, 1, cells, times, at + 1)] == [1]
    assert panes.rows.tolist() == [1, 0]
