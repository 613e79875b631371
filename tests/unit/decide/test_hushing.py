"""What people's orders change of what is told, as tables: minute, what happens, expected reason, told or not."""

import re

import pytest

from anchorwatch.decide.decision import Decisions, decide, settle, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.hushing import open_incidents
from anchorwatch.decide.orders import Acknowledge, BeginSilence, EndSilence, Given, obey
from anchorwatch.decide.publish import alert_message
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain import RetrainReason
from anchorwatch.decide.rules import rules_of
from anchorwatch.decide.silences import Matcher
from anchorwatch.settings.models import Model

STREAMS = {
    "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "score"}},
    "labels": {"topic": "l", "id": "id", "value": "y"},
    "baseline": {"first": 1000},
    "monitors": {"accuracy": {"alert": {"repeat": "1h"}}},
    "retrain": {"when": "accuracy worse", "min_labels": 0},
}
RULES = rules_of("/aw", "fraud", Model.model_validate(STREAMS))
NEVER = "kind=latency"

# What stands before a bar is what happens: evidence, "silence", "expire", "ack" or "replaced".
STORIES = {
    "an alert that fires and resolves under a silence is told nobody, and lives as always": """
        0   silence accuracy 60 | -
        1   drift!              | silenced silent
        2   drift!              | evidence_updated
        3   stable!             | resolved silent
    """,
    "trouble that outlasts its silence is told at the first evidence behind it, once": """
        0   silence accuracy 60 | -
        1   drift!              | silenced silent
        59  drift!              | evidence_updated
        60  drift!              | silence_ended told
        61  drift!              | evidence_updated
        70  stable!             | resolved told
    """,
    "a silence that is ended by hand counts no longer": """
        0   silence accuracy 60 | -
        1   drift!              | silenced silent
        2   expire              | -
        3   drift!              | silence_ended told
    """,
    "the interval to the next repetition begins with the late telling": """
        0   silence accuracy 90 | -
        1   drift!              | silenced silent
        65  drift!              | silenced
        90  drift!              | silence_ended told
        149 drift!              | evidence_updated
        150 drift!              | repeated told
    """,
    "an alert that was told before its silence is not repeated, and its end is told": """
        0   drift!              | fired told
        1   silence accuracy 90 | -
        60  drift!              | silenced
        70  drift!              | silenced
        80  stable!             | resolved told
    """,
    "a repetition that was held back is made up for behind the silence": """
        0   drift!              | fired told
        1   silence accuracy 90 | -
        61  drift!              | silenced
        90  drift!              | repeated told
    """,
    "a silence for others changes nothing": """
        0   silence latency 60  | -
        1   drift!              | fired told
        61  drift!              | repeated told
    """,
    "an acknowledged incident is not repeated, and its end is told": """
        0   drift!              | fired told
        1   ack                 | -
        61  drift!              | acknowledged
        200 drift!              | acknowledged
        201 stable!             | resolved told
        202 drift!              | fired told
        263 drift!              | repeated told
    """,
    "an alert that another version ends is told only to those who know of it": """
        0   silence accuracy 60 | -
        1   drift!              | silenced silent
        2   replaced            | superseded silent
    """,
}


def lines(story):
    return [[part.split() for part in line.split("|")] for line in story.strip().splitlines()]


def ordered(state, number, at, order):
    standing, obeyed = obey(state.standing, "fraud", [Given(number, "", order)], at, open_incidents(state.alerts))
    return Decisions(
        **{name: getattr(state, name) for name in state.__struct_fields__} | {"standing": standing}
    ), obeyed


def silence(until, *matchers, retrain=False):
    return BeginSilence(tuple(map(Matcher.of_text, matchers)), until, "deploying", "ann", retrain)


@pytest.fixture
def play(evidence, at):
    """Play a story through a model's decisions; reasons and notices by line."""

    def played(story):
        state, steps = Decisions(), []
        for number, ((minute, word, *rest), _) in enumerate(lines(story), 1):
            now = at(int(minute))
            if word == "silence":
                state, _ = ordered(state, number, now, silence(at(int(rest[1])), f"kind={rest[0]}"))
            elif word == "expire":
                state, _ = ordered(state, number, now, EndSilence(1, "bob"))
            elif word == "ack":
                state, _ = ordered(state, number, now, Acknowledge(1, "on it", "bob"))
            else:
                state = Decisions.from_plain(state.to_plain())
                state, outcome = (
                    supersede(RULES, state, "14", now)
                    if word == "replaced"
                    else decide(RULES, state, [evidence(int(minute), word)])
                )
                steps.append((outcome.decided[0].reason, outcome.notices))
                continue
            steps.append((None, ()))
        return steps

    return played


@pytest.mark.parametrize("title", STORIES)
def test_an_alert_takes_the_step_and_tells_or_not_as_its_story_says(title, play):
    for (reason, notices), (_, wanted) in zip(play(STORIES[title]), lines(STORIES[title]), strict=True):
        told = ["silent" if notice.silenced else "told" for notice in notices]
        assert [reason or "-", *told] == wanted


def test_every_reason_of_orders_stands_in_a_story():
    reasons = {wanted[0] for story in STORIES.values() for _, wanted in lines(story)}
    assert {Reason.SILENCED, Reason.SILENCE_ENDED, Reason.ACKNOWLEDGED} <= reasons


def test_no_two_messages_of_a_story_share_an_id(play):
    for story in STORIES.values():
        ids = [alert_message("/aw", "alerts", notice).id for _, notices in play(story) for notice in notices]
        assert len(set(ids)) == len(ids)


def test_a_late_telling_says_that_it_has_been_firing_for_a_while(play):
    story = "trouble that outlasts its silence is told at the first evidence behind it, once"
    (notice,) = play(STORIES[story])[3][1]
    assert b"Still firing after 59m" in alert_message("/aw", "alerts", notice).value


def test_orders_of_nobody_leave_decisions_as_they_were(evidence, at):
    """The same notices with a silence that fits nothing, and the silence is gone when its time is over."""
    story = [evidence(i, word) for i, word in enumerate(["drift!", "drift!", "stable!", "drift!"])]
    state, _ = ordered(Decisions(), 1, at(0), silence(at(2), NEVER))
    assert len(state.standing.silences) == 1
    with_order, told = decide(RULES, state, story)
    without, same = decide(RULES, Decisions(), story)
    assert told == same
    assert with_order.standing.silences == ()
    assert with_order.alerts == without.alerts


@pytest.mark.parametrize(("retrain", "reason"), [(False, RetrainReason.TRIGGERED), (True, RetrainReason.SILENCED)])
def test_a_silenced_alert_asks_for_a_retraining_unless_the_silence_says_otherwise(evidence, at, retrain, reason):
    state, _ = ordered(Decisions(), 1, at(0), silence(at(60), "kind=accuracy", retrain=retrain))
    state, outcome = decide(RULES, state, [evidence(1, "drift!", labels=100)])
    assert dict(outcome.decided[0].retrain) == {"default": reason}
    _, later = decide(RULES, state, [evidence(60, "drift!", labels=200)])
    assert [trigger.incident for trigger in (*outcome.triggers, *later.triggers)] == [1]


def test_a_silence_by_segment_leaves_the_others_loud(evidence, identity, at):
    state, _ = ordered(Decisions(), 1, at(0), silence(at(60), "segment=~country=(DE|CH)", "kind=drift"))
    where = [identity("amount", kind=Kind.DRIFT, segment=f"country={name}") for name in ("DE", "FR", "CH")]
    _, outcome = decide(RULES, state, [evidence(1, "drift!", each) for each in where])
    assert [notice.silenced for notice in outcome.notices] == [True, False, True]


def incidents_of(evidence, at, story, standing_until, *matchers):
    """Return (status, silenced) of each telling of an incident while a silence holds from minute 0."""
    state, _ = ordered(Decisions(), 1, at(0), silence(at(standing_until), *matchers))
    told = []
    for minute, word, who in story:
        state, outcome = decide(RULES, state, [evidence(minute, word, who)])
        told += outcome.incidents
        state, outcome = settle(RULES, state, at(minute) + 1)
        told += outcome.incidents
    return [(each.status, each.silenced) for each in told]


def test_an_incident_of_silenced_alerts_alone_is_told_nobody_and_is_in_the_history(evidence, identity, at):
    story = [(1, "drift!", None), (2, "stable!", None)]
    assert incidents_of(evidence, at, story, 60, "kind=accuracy") == [("opened", True), ("resolved", True)]


def test_an_incident_is_told_as_opened_once_an_alert_that_is_not_silenced_joins_it(evidence, identity, at):
    amount = identity("amount", kind=Kind.DRIFT, monitor="kolmogorov_smirnov")
    story = [(1, "drift!", None), (2, "drift!", amount), (3, "stable!", amount), (4, "stable!", None)]
    told = incidents_of(evidence, at, story, 60, "kind=accuracy")
    assert told == [("opened", True), ("opened", False), ("resolved", False)]


def test_an_incident_is_told_as_opened_when_the_silence_of_its_alert_ends(evidence, identity, at):
    story = [(1, "drift!", None), (60, "drift!", None), (70, "stable!", None)]
    told = incidents_of(evidence, at, story, 60, "kind=accuracy")
    assert told == [("opened", True), ("opened", False), ("resolved", False)]


def test_a_silenced_alert_brings_no_news_to_an_incident_that_people_know(evidence, identity, at):
    amount = identity("amount", kind=Kind.DRIFT, monitor="kolmogorov_smirnov")
    story = [(1, "drift!", amount), (2, "drift!", None), (30, "drift!", amount)]
    assert incidents_of(evidence, at, story, 60, "kind=accuracy") == [("opened", False)]


def test_every_new_reason_is_explained_in_a_sentence():
    for name in ("SILENCED", "SILENCE_ENDED", "ACKNOWLEDGED"):
        assert re.search(rf"{name}\n\s+[A-Z].*\.", Reason.__doc__)
