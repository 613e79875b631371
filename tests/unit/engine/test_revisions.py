"""A label that is corrected: which one accuracy figures, detectors and the retrain estimate take, as a setting says."""

import json

import msgspec
import numpy as np
import pytest
from tests.unit.engine.labelled_stream import GAP, LABELS, NOW, PREDICTIONS, SECOND, START, a_model, messages, take

from anchorwatch.engine.plain import pack
from anchorwatch.engine.recovery import estimator
from anchorwatch.engine.revisions import Revisions
from anchorwatch.engine.state import from_parts, to_parts
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Records

SPAN, MATURE = 500 * GAP, 2 * 3600.0
WRONG = {0: 1, 1: 0, "a": "b", "b": "c", "c": "a"}
METRICS = {"binary": "roc_auc", "multiclass": "macro_f1", "regression": "rmse", "ranking": "ndcg_at_k"}


def model(kind="binary", revisions="latest", **more):
    """Return a model that says what becomes of a correction; its detector of errors is on."""
    judged = a_model(kind, [METRICS[kind]], sequential="page_hinkley", mature=f"{int(MATURE)}s", **more)
    document = judged.model_dump(mode="json", by_alias=True)
    document["labels"]["revisions"] = revisions
    document["predictions"]["features"] = {"x": "numeric"}
    document["retrain"] = {"when": ["accuracy"]}
    return type(judged).model_validate(document)


def stream(kind="binary", n=5000, seed=3):
    """Return predictions, and the labels that are right, each [(seconds, body)]."""
    rows, labels = messages(kind, seed, np.full(n, 0.8))
    truth = {body["id"]: body["y"] for _, body in labels}
    noise = np.random.default_rng(seed).normal(size=n).tolist()
    for (_, body), x in zip(rows, noise, strict=True):
        y = truth.get(body["id"], 0) if kind != "ranking" else 0
        body["x"] = x + (ord(y) - ord("a") if isinstance(y, str) else y)
    return rows, labels


def wrong(value):
    if value is None or isinstance(value, list):  # of a ranking
        return None if value else ["i1", "i2"]
    return WRONG[value] if value in WRONG else value + 5.0


def provisional(labels, share=0.1):
    """Return the labels, some of them wrong, and the corrections of those, both [(seconds, body)]."""
    chosen = np.random.default_rng(1).random(len(labels)) < share
    first = [
        (t, {**body, "y": wrong(body["y"])} if each else body) for (t, body), each in zip(labels, chosen, strict=True)
    ]
    return first, [label for label, each in zip(labels, chosen, strict=True) if each]


def later(labels, seconds):
    return [(t + seconds, {**body, "t": START + t + seconds}) for t, body in labels]


def merged(*logs):
    return sorted((label for log in logs for label in log), key=lambda label: label[0])


def figures(taken):
    """Return every figure of every window, and whether they are within the margin, as text."""
    return [repr(e.verdict) for e in taken.evidence if e.identity.monitor == "non_inferiority"]


def late_revisions(taken):
    return taken.state.versions[0].performance.late_revisions


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "ranking"])
def test_figures_with_corrections_are_those_of_labels_that_were_right_at_once(kind):
    """In windows and in the baseline, bit for bit, where corrections come before a window is closed."""
    rows, right = stream(kind)
    first, corrections = provisional(right)
    labels = merged(first, later(corrections, 300.0))
    corrected = take(model(kind), rows, labels, cuts=9, restart=True)
    assert figures(corrected) == figures(take(model(kind), rows, right))
    assert len(figures(corrected)) > 10
    assert late_revisions(corrected) == 0
    counts = corrected.state.accounting()
    assert (counts["matched"], counts["revised_labels"]) == (len(right), len(corrections))
    assert figures(corrected) != figures(take(model(kind), rows, first))


def test_the_first_label_counts_where_nothing_else_is_said():
    rows, right = stream()
    first, corrections = provisional(right)
    labels = merged(first, later(corrections, 300.0))
    document = model().model_dump(mode="json", by_alias=True)
    del document["labels"]["revisions"]
    taken = take(type(model()).model_validate(document), rows, labels)
    assert figures(taken) == figures(take(model(), rows, first))
    assert taken.state.accounting()["revised_labels"] == len(corrections)


def test_detectors_of_errors_keep_the_label_that_they_took():
    """One result per prediction and label: a correction gives them neither the old value back nor another one."""
    rows, right = stream()
    first, corrections = provisional(right)
    labels = merged(first, later(corrections, 300.0))
    tracks = [take(model(revisions=r), rows, labels).state.versions[0].outcomes for r in ("first", "latest")]
    assert tracks[0].lanes
    assert tracks[0].rows == len(right)
    assert pack(tracks[0].to_plain()) == pack(tracks[1].to_plain())


def test_a_correction_after_its_window_was_closed_is_counted_and_changes_nothing_more():
    rows, right = stream()
    first, corrections = provisional(right)
    corrections = later(corrections, SPAN + MATURE + 7000.0)
    taken = take(model(), rows, merged(first, corrections), cuts=9)
    untouched = take(model(), rows, first)
    assert taken.state.versions[0].performance.terms == untouched.state.versions[0].performance.terms
    closed = len(figures(untouched))
    assert figures(taken)[:closed] == figures(untouched)
    begin = taken.state.versions[0].performance.terms.begin
    made = [START * SECOND + int(int(body["id"][1:]) * GAP * SECOND) for _, body in corrections]
    assert late_revisions(taken) == sum(at >= begin for at in made) > 100
    assert taken.state.accounting()["revised_labels"] == len(corrections)


def test_a_correction_that_came_too_late_is_no_part_of_the_baseline_either():
    """Windows of the stream could not have taken it, so the baseline must not be better than they can be."""
    rows, right = stream()
    first, corrections = provisional(right)
    of = take(model(), rows, merged(first, later(corrections, MATURE + 100.0))).baselines[-1].outcomes.groups
    assert of[0].metrics == take(model(), rows, first).baselines[-1].outcomes.groups[0].metrics
    in_time = take(model(), rows, merged(first, later(corrections, 300.0))).baselines[-1].outcomes.groups
    assert of[0].metrics != in_time[0].metrics


def test_windows_wait_for_corrections_as_for_labels():
    """The time that labels take is that of the last one of each prediction."""
    rows, right = stream()
    first, corrections = provisional(right)
    labels = merged(first, later(corrections, 4000.0))
    matures = [take(model(revisions=r), rows, labels).baselines[-1].outcomes.mature for r in ("first", "latest")]
    assert matures[1] > matures[0] + 1000 * SECOND


@pytest.mark.parametrize("again", [0, 1, 2, 3])
def test_of_several_corrections_the_last_counts(again):
    """Wrong, right, wrong, right: after an even number the figures are those of the wrong labels."""
    rows, right = stream()
    first, corrections = provisional(right)
    back = [(t, {**body, "y": wrong(body["y"])}) for t, body in corrections]
    more = [later(back if i % 2 else corrections, 60.0 * (i + 1)) for i in range(again)]
    taken = take(model(), rows, merged(first, *more), cuts=5)
    assert figures(taken) == figures(take(model(), rows, right if again % 2 else first))
    assert taken.state.accounting().get("revised_labels", 0) == again * len(corrections)


def test_a_label_that_says_what_the_correction_said_is_a_duplicate():
    rows, right = stream(n=2500)
    first, corrections = provisional(right)
    taken = take(model(), rows, merged(first, later(corrections, 60.0), later(corrections, 90.0)))
    counts = taken.state.accounting()
    assert counts["revised_labels"] == counts["duplicate_labels"] == len(corrections)


def test_a_correction_later_than_labels_are_waited_for_is_late():
    rows, right = stream(n=2500)
    first, corrections = provisional(right[:500])
    taken = take(model(), rows, merged(first, right[500:], later(corrections, 86_400.0)))
    counts = taken.state.accounting()
    assert "revised_labels" not in counts
    assert counts["late_labels"] > 20
    assert counts["late_labels"] + counts["waiting_labels"] == len(
        corrections
    )  # some predictions are forgotten by then


def recovery(taken, labelled=10**9):
    return estimator(taken.watch, taken.state)(taken.state.versions[0].name, 0, labelled)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_retrain_estimate_learns_from_corrected_labels(kind):
    """It is that of a stream whose labels were right at once; where the first ones count it is another."""
    rows, right = stream(kind)
    first, corrections = provisional(right[:-50], 0.3)
    labels = merged(first, right[-50:], later(corrections, 0.5))
    estimates = [recovery(take(model(kind, r), rows, labels, cuts=7, restart=True)) for r in ("first", "latest")]
    assert estimates[1] == recovery(take(model(kind), rows, right))
    assert estimates[0] != estimates[1]
    assert estimates[0].current != estimates[1].current


def test_an_estimate_takes_corrections_from_before_the_newest_label_that_it_may_use():
    """Asked how things stood at an earlier label, it answers with what was known then, however late it is asked."""
    rows, right = stream(n=4000)
    first, corrections = provisional(right[:-1], 0.3)
    end = (right[-1][0] + 5000.0, {**right[-1][1], "t": START + right[-1][0] + 5000.0})
    taken = take(model(), rows, [*first, *at_once(corrections, end[0] - 1000.0), end], cuts=3)
    watched = taken.state.versions[0].outcomes.marks[0].rows
    before, after = recovery(taken, watched - 1), recovery(taken, watched)
    assert before == recovery(take(model(), rows, first))
    corrected = recovery(take(model(), rows, [*right[:-1], end]))
    assert after == msgspec.structs.replace(
        corrected, usual=before.usual
    )  # the baseline was there before the corrections
    assert before.current != after.current


def at_once(labels, seconds):
    """Return labels one after the other, a tenth of a second apart."""
    return [(seconds + i / 10, {**body, "t": START + seconds + i / 10}) for i, (_, body) in enumerate(labels)]


def test_the_setting_may_change_under_a_saved_state():
    """A correction replaces the first label from then on, also where it comes alone, long after it."""
    rows, right = stream(n=2500)
    first, corrections = provisional(right)
    taken = take(model(revisions="first"), rows, first)
    changed = model(revisions="latest")
    watch = compile_watch("/a", "m", changed, None, "0")
    state = from_parts(watch, to_parts(taken.watch, taken.state))
    values = [json.dumps(body).encode() for _, body in at_once(corrections[-20:], right[-1][0] + 100.0)]
    records = Records(LABELS, range(len(first), len(first) + 20), [None] * 20, values)
    batch, _ = Decoder("m", changed).decode([records], [PREDICTIONS, LABELS], NOW, [PREDICTIONS, LABELS])
    after, _ = step(watch, state, batch)
    assert after.accounting()["revised_labels"] == 20
    assert len(after.shadow.revised[0].row) == 20
    begin = after.versions[0].performance.terms.begin
    ours = [int(body["id"][1:]) * int(GAP) * SECOND + START * SECOND >= begin for _, body in corrections[-20:]]
    assert sum((old != new).sum() for old, new in zip(truths(state), truths(after), strict=True)) == sum(ours) > 10


def truths(state):
    """Return the labels in each open window."""
    opened = state.versions[0].performance.opened
    return [opened[number].rows.words[3] for number in sorted(opened)]


def test_labels_of_which_the_same_prediction_has_several_replace_it_in_order():
    """A prediction is known by its id and its time: an id may come again once it was forgotten."""
    words = np.array([[10, 20, 10], [1, 1, 1], [0, 0, 0], [5, 6, 7], [0, 0, 0]], np.uint64)
    ident = np.array([3, 3, 4], np.uint64)
    new = np.array([[20, 20, 30], [1, 1, 1], [0, 0, 0], [8, 9, 8], [0, 0, 0]], np.uint64)
    revisions = Revisions(new, np.array([3, 3, 4], np.uint64), np.array([21, 25, 31]))
    assert revisions.onto(words, ident)[3].tolist() == [5, 9, 7]
    assert revisions.known(words, ident, np.array([11, 22, 12])).tolist() == [11, 25, 12]
    assert revisions.within(1).onto(words, ident)[3].tolist() == [5, 8, 7]
