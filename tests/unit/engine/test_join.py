"""Predictions and labels find each other as a dictionary and a loop over single events say."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.worlds import LONG, SHORT

from anchorwatch.engine import join
from anchorwatch.engine.join import Arrivals, Join
from anchorwatch.engine.plain import pack
from anchorwatch.engine.stretches import Terms
from anchorwatch.engine.tables import Columns

FIRST, LAST = -(2**63) + 1, 6_311_433_600 * 10**9  # 1677, and 2170: the past ends there, and no event is from later


def columns(events):
    """Return (position, time, id, ...) predictions as records."""
    n = len(events)
    return Columns(
        ident=np.array([(e[2], e[2] ^ 77) for e in events], np.uint64).reshape(n, 2),
        time=np.array([e[1] for e in events], np.int64),
        version=np.zeros(n, np.int32),
        segments=np.zeros((n, 1), np.uint64),
        token=np.array([e[0] for e in events], np.uint64),
        number=np.full(n, np.nan),
        labelled=np.zeros(n, np.bool_),
        label_token=np.zeros(n, np.uint64),
        label_number=np.full(n, np.nan),
    )


def arrivals(events):
    n = len(events)
    return Arrivals(
        ident=np.array([(e[2], e[2] ^ 77) for e in events], np.uint64).reshape(n, 2),
        time=np.array([e[1] for e in events], np.int64),
        token=np.array([e[3] for e in events], np.uint64),
        number=np.full(n, np.nan),
    )


def joined(events, terms, cuts):
    """Take (kind, time, id, value) events, in releases that end at `cuts`; return the join and what came out."""
    known, pairs, revised = Join(), [], []
    for start, stop in zip([0, *cuts], [*cuts, len(events)], strict=True):
        release = [(at, *event[1:], event[0]) for at, event in enumerate(events[start:stop])]
        predictions = [e for e in release if e[-1] == "prediction"]
        labels = [e for e in release if e[-1] == "label"]
        records = columns([(start + e[0], *e[1:]) for e in predictions])
        at = np.array([e[0] for e in predictions], np.int64)
        known, new = join.remember(known, terms, records)
        label_at = np.array([e[0] for e in labels], np.int64)
        known, out = join.match(known, terms, records.take(new), at[new], arrivals(labels), label_at)
        for into, some in ((pairs, out), (revised, out.revised)):
            rows = [] if some is None else zip(some.at, some.record.token, some.record.label_token, strict=True)
            into += [(start + int(a), int(p), int(t)) for a, p, t in rows]
        frontier = events[stop][1] if stop < len(events) else (events[-1][1] + 1 if events else 0)
        known = join.forget(known, terms, frontier)
    return known, pairs, revised


class Naive:
    """Says of each event, one after the other, what becomes of it."""

    def __init__(self, events, terms):
        self.terms = terms
        self.counts, self.pairs, self.revised, self.entries, self.early = Counter(), [], [], [], []
        for at, (kind, time, ident, value) in enumerate(events):
            entry = next((e for e in self.entries if e["id"] == ident and time <= e["last"]), None)
            getattr(self, kind)(at, time, ident, value, entry)
        end = events[-1][1] + 1 if events else 0
        self.counts["orphan_labels"] += sum(time + terms.early < end for _, time, _ in self.early)
        unlabelled = [e for e in self.entries if e["label"] is None]
        self.counts["expired_predictions"] += sum(e["last"] < end for e in unlabelled)
        self.waiting = {
            "predictions": sum(e["last"] >= end for e in unlabelled),
            "labels": sum(time + terms.early >= end for _, time, _ in self.early),
        }

    def prediction(self, at, time, ident, value, entry):
        if entry is not None:
            self.counts["duplicate_predictions"] += 1
            return
        last = (time // self.terms.width + 1) * self.terms.width + self.terms.wait
        self.entries.append({"id": ident, "time": time, "at": at, "last": last, "label": None})
        mine = [e for e in self.early if e[0] == ident]
        self.early = [e for e in self.early if e[0] != ident]
        for _, came, said in mine:
            if time > came + self.terms.early:
                self.counts["orphan_labels"] += 1
            else:
                self.pair(self.entries[-1], said, at)

    def label(self, at, time, ident, value, entry):
        if entry is None:
            self.early.append((ident, time, value))
        elif time > entry["time"] + self.terms.wait:
            self.counts["late_labels"] += 1
        else:
            self.pair(entry, value, at)

    def pair(self, entry, value, at):
        if entry["label"] is None:
            self.counts["matched"] += 1
            self.pairs.append((at, entry["at"], value))
        elif entry["label"] == value:
            self.counts["duplicate_labels"] += 1
        else:
            self.counts["revised_labels"] += 1
            if not self.terms.latest:
                return
            if at == entry["at"]:  # its labels were there before it: only the last one is an outcome
                self.pairs[-1] = (at, at, value)
            else:
                self.revised.append((at, entry["at"], value))
        entry["label"] = value


@st.composite
def streams(draw):
    """Few ids, so that much meets, over several stretches; in the order in which they are released."""
    times = st.integers(0, 120) | st.sampled_from([FIRST, LAST, LAST + 5])
    event = st.tuples(st.sampled_from(["prediction", "label"]), times, st.integers(1, 5), st.integers(1, 2))
    events = draw(st.lists(event, max_size=40))
    return sorted(events, key=lambda e: (e[1], e[0] != "prediction", e[2]))


TERMS = st.builds(
    Terms,
    wait=st.sampled_from([1, 7, 16, 24, 40]),
    early=st.sampled_from([0, 3, 10]),
    sizes=st.just(LONG),
    latest=st.booleans(),
)


@given(streams(), TERMS, st.data())
def test_every_prediction_and_label_goes_where_a_loop_says(events, terms, data):
    """Matches, duplicates, revisions, waits, expiry: as defined event by event, however the releases are cut."""
    times = sorted({e[1] for e in events})  # events of one time are released together
    chosen = data.draw(st.lists(st.sampled_from(times), unique=True)) if times else []
    cuts = sorted(next(i for i, e in enumerate(events) if e[1] == time) for time in chosen)
    naive = Naive(events, terms)
    known, found, revised = joined(events, terms, cuts)
    assert (found, revised) == (naive.pairs, naive.revised)
    assert known.counts == +naive.counts
    assert known.waiting() == naive.waiting


@given(streams(), TERMS, st.data())
def test_runs_that_are_merged_and_dropped_change_nothing(events, terms, data):
    """The same with runs of four rows: where a loop says, and in the end in the same form, however it was cut."""
    times = sorted({e[1] for e in events})
    chosen = data.draw(st.lists(st.sampled_from(times), unique=True)) if times else []
    cuts = sorted(next(i for i, e in enumerate(events) if e[1] == time) for time in chosen)
    naive, terms = Naive(events, terms), terms._replace(sizes=SHORT)
    whole = joined(events, terms, [])
    known, found, revised = joined(events, terms, cuts)
    assert (found, revised) == (naive.pairs, naive.revised)
    assert known.counts == +naive.counts
    assert known.waiting() == naive.waiting
    assert form(known) == form(whole[0])


def form(known):
    """Return a join as the bytes it is kept as."""
    return {name: pack(run.to_plain()) for name, run in known.parts().items()}, pack(known.to_plain())


def test_an_id_that_comes_again_after_it_was_forgotten_is_a_new_prediction():
    """The label that came while the first was remembered belongs to the first, the next one to the second."""
    terms = Terms(wait=16, early=5)
    events = [
        ("prediction", 1, 9, 0), ("label", 3, 9, 1), ("prediction", 18, 9, 0),
        ("prediction", 19, 9, 0), ("label", 19, 9, 2), ("prediction", 36, 9, 0),
    ]  # fmt: skip
    known, pairs, _ = joined(events, terms, [])
    assert pairs == [(1, 0, 1), (4, 3, 2)]
    assert known.counts == {"matched": 2, "duplicate_predictions": 2}


@pytest.mark.parametrize("cuts", [[], [1], [2], [1, 2]])
def test_a_label_may_come_before_its_prediction(cuts):
    """It is counted at its prediction, and only if it did not come too early."""
    events = [("label", 10, 1, 7), ("label", 10, 2, 7), ("prediction", 13, 1, 0), ("prediction", 14, 2, 0)]
    known, pairs, _ = joined(events, Terms(wait=80, early=3), cuts)
    assert pairs == [(2, 2, 7)]
    assert known.counts == {"matched": 1, "orphan_labels": 1}
    assert known.waiting() == {"predictions": 1, "labels": 0}


def test_two_events_a_life_of_the_clock_apart_do_not_meet():
    """The distance of 1677 and 2170 does not fit 64 bits, and is a long time all the same."""
    events = [("label", FIRST, 1, 7), ("prediction", LAST, 1, 0)]
    known, pairs, _ = joined(events, Terms(wait=40, early=10), [])
    assert (pairs, known.counts) == ([], {"orphan_labels": 1})


@pytest.mark.parametrize("cuts", [[], [1], [2], [3], [4], [1, 2, 3, 4]])
@pytest.mark.parametrize(
    ("latest", "pairs", "revised"),
    [(True, [(2, 2, 8)], [(4, 2, 9)]), (False, [(2, 2, 7)], [])],
    ids=["latest", "first"],
)
def test_a_label_corrected_before_its_prediction_came_is_one_outcome_and_one_corrected_later_two(
    cuts, latest, pairs, revised
):
    """7 and 8 wait for the prediction; 8 again is a duplicate of what it has then, 9 replaces it; 8 and 9 revise 7."""
    events = [("label", 10, 1, 7), ("label", 11, 1, 8), ("prediction", 12, 1, 0), ("label", 13, 1, 8 if latest else 7)]
    events.append(("label", 14, 1, 9))
    known, *found = joined(events, Terms(wait=80, early=5, latest=latest), cuts)
    assert found == [pairs, revised]
    assert known.counts == {"matched": 1, "duplicate_labels": 1, "revised_labels": 2}


def test_a_correction_later_than_a_prediction_waits_is_late_as_any_label_is():
    events = [("prediction", 10, 1, 0), ("label", 12, 1, 7), ("label", 27, 1, 8), ("label", 28, 1, 7)]
    known, pairs, revised = joined(events, Terms(wait=16, early=0, latest=True), [])
    assert (pairs, revised) == ([(1, 0, 7)], [])
    assert known.counts == {"matched": 1, "late_labels": 2}
