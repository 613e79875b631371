"""Since when there is a change to train on: what dates it closely counts, what dates it roughly does not."""

from __future__ import annotations

import pytest

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.findings import Finding, Trouble
from anchorwatch.decide.retrain import RetrainState, consider
from anchorwatch.decide.retrain_policy import Asked, RetrainPolicy
from anchorwatch.decide.triggers import Cause, Occasion, onset

POLICY = RetrainPolicy("p1", (Asked(Kind.ACCURACY),), min_labels=100, cooldown=0, expires=9, dry_run=False)


@pytest.fixture
def cause(identity, evidence):
    """Return an alert whose trouble began at a time, in an interval that is known or not."""

    def build(since, low=None, high=None, *, subject="error rate", labels=0):
        trouble = Trouble(Finding.of_evidence(evidence(1, "drift!")), since, labels, low, high)
        return Cause(identity(kind=Kind.ACCURACY, subject=subject), trouble, "critical", fired_at=50)

    return build


@pytest.mark.parametrize(
    ("troubles", "began"),
    [
        ([(30, 28, 33)], 30),
        ([(10, 10, 40), (30, 28, 33)], 30),
        ([(30, 28, 33), (10, 10, 40)], 30),
        ([(10, 8, 12), (30, 28, 33)], 10),
        ([(10, 10, 31), (30, 28, 33)], 10),
        ([(10, 10, 40), (30, 28, 33), (20, 15, 35)], 30),
        ([(30, 28, 33), (29, 28, 33)], 29),
        ([(10, None, None), (30, 28, 33)], 10),
        ([(10, None, None), (5, None, None)], 5),
        ([(5, 5, 40), (10, None, None)], 5),
    ],
    ids=[
        "one alone",
        "a window in which the change lies says less than the change point",
        "whichever comes first",
        "two changes, one after the other",
        "intervals that only overlap",
        "the closest of three within each other",
        "the same interval",
        "an interval that is not known is not within another",
        "none known",
        "nor does it hide one",
    ],
)
def test_a_change_began_at_the_earliest_time_that_no_other_alert_dates_more_closely(troubles, began, cause):
    assert onset([cause(*trouble) for trouble in troubles]).since == began


def test_window_labels_and_estimate_of_a_trigger_begin_where_the_change_is_dated_most_closely(cause):
    asked = []
    window = cause(10, 10, 40, subject="share", labels=500)
    point = cause(30, 28, 33, labels=800)
    occasion = Occasion("/aw", "m", "1", 60, 1000, 1, (window, point), estimator=lambda *given: asked.append(given))
    trigger = consider(POLICY, RetrainState(), occasion).trigger
    assert (trigger.start, trigger.end, trigger.labelled) == (30, 60, 200)
    assert asked == [("1", 30, 1000)]
    assert [each.trouble.since for each in trigger.causes] == [10, 30], "the evidence is all there"


def test_labels_from_before_the_change_do_not_count_as_labels_to_train_on(cause):
    firing = (cause(10, 10, 40, subject="share", labels=500), cause(30, 28, 33, labels=920))
    found = consider(POLICY, RetrainState(), Occasion("/aw", "m", "1", 60, 1000, 1, firing))
    assert (found.reason, found.trigger) == ("too_few_labels", None)
