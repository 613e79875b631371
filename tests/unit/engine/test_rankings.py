"""Rankings: figures by their definition, hits as the error that is watched, lists that find their labels."""

import math

import numpy as np
import pytest
from tests.unit.engine.labelled_stream import OUTPUTS, a_model, messages, take

from anchorwatch.decide.evidence import ERROR_RATE
from anchorwatch.decide.notices import Status
from anchorwatch.engine.performance import figures_shown
from anchorwatch.engine.plain import unpack
from anchorwatch.engine.state import fresh, to_parts
from anchorwatch.engine.watch import compile_watch
from anchorwatch_detectors.base import Direction, Level

K = OUTPUTS["ranking"]["k"]
START, GAP = 5000, 10.0


def naive(said, wanted):
    """Return (NDCG, recall, whether anything was clicked) of one list; NaN where nothing was."""
    items = set(wanted if isinstance(wanted, list) else [] if wanted is None else [wanted])
    if not items:
        return math.nan, math.nan, 0.0
    hits = [item in items for item in said[:K]]
    best = sum(1 / math.log2(rank + 2) for rank in range(min(len(items), K)))
    return sum(hit / math.log2(rank + 2) for rank, hit in enumerate(hits)) / best, sum(hits) / len(items), 1.0


def steady(n=7000, quality=0.8):
    return np.full(n, quality)


def first_label(labels):
    """Return the label of each id that came first."""
    kept = {}
    for _, body in labels:
        kept.setdefault(body["id"], body)
    return kept


def test_the_figures_of_a_window_are_those_of_its_lists_by_definition():
    rows, labels = messages("ranking", 3, steady())
    taken = take(a_model("ranking", mature="3h"), rows, labels)
    performance = taken.state.versions[0].performance
    lists, wanted = {body["id"]: body for _, body in rows}, first_label(labels)
    windows = {}
    for ident, body in lists.items():
        at = round(body["t"] * 10**9)
        if at >= performance.terms.begin and ident in wanted:
            number = (at - performance.terms.origin) // performance.terms.span
            windows.setdefault(number, []).append(naive(body["top"], wanted[ident]["y"]))
    found = {name: taken.of(name) for name in ("ndcg_at_k", "recall_at_k", "click_through_rate")}
    assert len(found["ndcg_at_k"]) >= 6
    for number in range(len(found["ndcg_at_k"])):
        expected = np.nanmean(np.array(windows[number]), axis=0)
        values = [found[name][number].verdict.statistic for name in found]
        assert values == pytest.approx(expected.tolist(), rel=1e-12)
    assert performance.late < 3


def test_a_list_without_any_relevant_item_among_the_first_k_is_an_error_and_their_rise_is_told():
    model = a_model("ranking", sequential="shiryaev_roberts")
    rows, labels = messages("ranking", 4, np.concatenate([steady(START), steady(3000, 0.45)]))
    taken = take(model, rows, labels)
    fired = [n for n in taken.notices if n.status is Status.FIRING and n.identity.subject == ERROR_RATE]
    assert {(n.identity.kind.value, n.identity.monitor) for n in fired} >= {("accuracy", "shiryaev_roberts")}
    mine = [e for e in taken.evidence if e.identity.monitor == "shiryaev_roberts" and e.identity.subject == ERROR_RATE]
    alarm = next(e for e in mine if e.verdict.level is Level.DRIFT)
    assert alarm.verdict.direction is Direction.WORSE
    assert abs(alarm.verdict.since / 10**9 - rows[0][1]["t"] - START * GAP) < 500 * GAP
    wanted = first_label(labels)
    quick = [body for t, body in rows if body["id"] in wanted][:2000]
    missed = [not naive(body["top"], wanted[body["id"]]["y"])[0] > 0 for body in quick]
    profile = taken.baselines[-1].outcomes.columns[ERROR_RATE]
    shares = dict(zip(profile["words"], np.array(profile["counts"]) / sum(profile["counts"]), strict=False))
    assert shares["wrong"] == pytest.approx(np.mean(missed), abs=0.02)


def test_the_first_item_is_what_is_watched_of_a_prediction():
    document = a_model("ranking").model_dump(mode="json", by_alias=True)
    document["monitors"]["prediction"] |= {"category": "chi_square"}
    rows, labels = messages("ranking", 5, steady())
    favoured = [(t, {**b, "top": [7, *b["top"]]} if i > START and i % 3 else b) for i, (t, b) in enumerate(rows)]
    taken = take(type(a_model()).model_validate(document), favoured, labels)
    assert "prediction:class" in {n.identity.subject for n in taken.notices if n.status is Status.FIRING}


def test_the_same_items_in_another_order_are_a_duplicate_and_others_a_revision():
    rows, labels = messages("ranking", 6, steady(600))
    at, ident = labels[-1][0] + 1, labels[-1][1]["id"]
    labels = [each for each in labels if each[1]["id"] != ident]
    said = [["a", 2], ["2", "a"], ["a"], None, [2.0, "a", 2]]
    more = [(at + i, {"id": ident, "t": labels[0][1]["t"] + at + i, "y": value}) for i, value in enumerate(said)]
    counts = take(a_model("ranking", first=300), rows, labels + more).state.accounting()
    assert (counts["duplicate_labels"], counts["revised_labels"]) == (2, 2)


def test_a_list_that_cannot_be_used_is_an_error_and_counts_for_no_metric():
    rows, labels = messages("ranking", 7, steady())
    holed = [(t, {**body, "top": None} if i % 4 == 0 else body) for i, (t, body) in enumerate(rows)]
    whole, less = (take(a_model("ranking", mature="3h"), each, labels) for each in (rows, holed))
    for one, other in zip(whole.of("click_through_rate"), less.of("click_through_rate"), strict=True):
        assert other.verdict.n == pytest.approx(0.75 * one.verdict.n, rel=0.12)
        assert other.verdict.coverage == one.verdict.coverage
    wrong = [
        next(n for w, n in zip(*(t.baselines[-1].outcomes.columns[ERROR_RATE][x] for x in ("words", "counts")),
                               strict=False) if w == "wrong")
        for t in (whole, less)
    ]  # fmt: skip
    assert wrong[1] > 1.15 * wrong[0]


def test_labels_that_come_before_their_lists_wait_with_all_items_through_a_restart():
    rows, labels = messages("ranking", 8, steady(4000))
    early = [(t - 1500.0, {**body, "t": body["t"] - 1500.0}) for t, body in labels]
    early = [each for each in early if each[0] > 0]
    whole = take(a_model("ranking", first=1000), rows, early)
    cut = take(a_model("ranking", first=1000), rows, early, cuts=37, restart=True)
    assert whole.state.join.counts["matched"] == len(early)
    assert to_parts(cut.watch, cut.state) == to_parts(whole.watch, whole.state)
    assert figures_shown(cut.state.versions)[0]["metrics"]["ndcg_at_k"]["n"] > 50


def test_a_ranking_has_neither_an_estimate_before_labels_nor_counts_of_classes():
    taken = take(a_model("ranking"), *messages("ranking", 9, steady()))
    (figures,) = figures_shown(taken.state.versions)
    assert sorted(figures["metrics"]) == ["click_through_rate", "ndcg_at_k", "recall_at_k"]
    assert "confusion" not in figures
    assert [e for e in taken.evidence if "estimated" in e.identity.subject] == []


def test_models_without_lists_keep_nothing_of_them():
    rows, labels = messages("binary", 10, steady(300))
    model = a_model("binary", first=100)
    taken = take(model, rows, labels)
    for state in (taken.state, fresh(compile_watch("/a", "m", model, None, "0"))):
        parts = {name: unpack(data) for name, data in to_parts(taken.watch, state).items() if not name.endswith("line")}
        assert "items" not in parts["pending"]["predictions"]
        assert len(parts["head"]["join"]["early"]) == 4
        assert {len(run["fields"]) for name, run in parts.items() if "join/predictions" in name} <= {6}


@pytest.mark.parametrize("k", [1, 64])
def test_lists_may_be_as_short_as_one_item_and_as_long_as_64(k):
    document = a_model("ranking", first=300, size=200).model_dump(mode="json", by_alias=True)
    document["predictions"]["prediction"]["k"] = k
    rows, labels = messages("ranking", 11, steady(1500))
    long = [(t, {**body, "top": [*(f"x{j}" for j in range(63)), body["top"][0]]}) for t, body in rows]
    labels = [(t, {**body, "y": rows[int(body["id"][1:])][1]["top"][0]}) for t, body in labels]
    top, far = (take(type(a_model()).model_validate(document), each, labels) for each in (rows, long))
    assert top.of("recall_at_k")[-1].verdict.statistic == 1.0
    assert far.of("recall_at_k")[-1].verdict.statistic == (1.0 if k == 64 else 0.0)
    assert far.of("ndcg_at_k")[-1].verdict.statistic == pytest.approx(1 / math.log2(65) if k == 64 else 0.0)
