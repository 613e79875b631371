"""Incidents: what people are told about, as tables: minute, evidence, whose, then what it did and what was told."""

import json
import re

import msgspec
import pytest

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.alerts import Situation, advance
from anchorwatch.decide.decision import Decisions, decide, settle, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.incident_policy import IncidentPolicy
from anchorwatch.decide.incident_summary import incident_summary
from anchorwatch.decide.incidents import Change, Incidents, Telling
from anchorwatch.decide.labels import fingerprint_of
from anchorwatch.decide.ledger import Ledger
from anchorwatch.decide.orders import Acknowledge, BeginSilence, Given, obey
from anchorwatch.decide.publish import incident_message
from anchorwatch.decide.retrain import RetrainReason
from anchorwatch.decide.retraining import Progress, Retraining
from anchorwatch.decide.rules import rules_of
from anchorwatch.decide.silences import Matcher
from anchorwatch.settings.models import Model

MINUTE = 60 * 10**9
STEADY = AlertPolicy("warning", needs=1, of=1, keep_firing_for=0, cooldown=0, repeat=0)
FEATURES = dict.fromkeys(("amount", "hour", "age", "balance", "limit", "visits", "clicks", "score"), "numeric")


def rules(incidents=None, **changes):
    settings = {
        "predictions": {
            "topic": "p", "id": "id", "version": "v", "latency": "ms", "features": FEATURES,
            "prediction": {"kind": "binary", "score": "score_"},
        },
        "labels": {"topic": "l", "id": "id", "value": "y"},
        "baseline": {"first": 1000},
        "incidents": {"together": "60m", "gather": "10m"} | (incidents or {}),
        "retrain": {"when": ["accuracy", "drift"], "min_labels": 0, "cooldown": "0s"},
    }  # fmt: skip
    return rules_of("/aw", "fraud", Model.model_validate(settings | changes))


KINDS = {
    "error": (Kind.ACCURACY, "error rate"),
    "latency": (Kind.LATENCY, "latency"),
    "column": (Kind.SCHEMA, "age"),
    "column2": (Kind.SCHEMA, "limit"),
    "shares": (Kind.QUALITY, "age missing"),
}
# minute, what comes ("+" fires, "*" trouble goes on, "-" resolves), whose, then what that did to an incident and what
# is told of it; "=" nothing comes, time passes: what is told by then; "ack": somebody is at work on that incident;
# "silence": of what, until which minute
STORIES = {
    "the first alert opens it, what comes at the same instant is told with it, and the last to resolve ends it": (
        {},
        """
        0  + amount     opened  opened
        0  + hour       joined  opened
        0  + age        joined  opened
        1  =            told    opened
        5  - hour       left    nothing_new
        6  - amount     left    nothing_new
        7  - age        closed  resolved
        7  =            told    resolved
        """,
    ),
    "another kind and twice the features are told, once the last telling is long enough ago": (
        {},
        """
        0  + amount     opened  opened
        2  + hour       joined  too_soon
        3  + age        joined  too_soon
        4  + balance    joined  too_soon
        10 =            told    opened
        11 =            told    features_doubled
        12 + limit      joined  nothing_new
        13 + latency    joined  too_soon
        20 =            told
        21 =            told    kind_joined
        """,
    ),
    "what is more severe than all before is told at once": (
        {},
        """
        0  + amount     opened  opened
        2  + error      joined  severity_rose
        3  =            told    opened severity_rose
        4  + hour       joined  too_soon
        """,
    ),
    "it becomes more severe when it lasts, though nothing comes": (
        {"escalate": {"after": "30m", "severity": "critical"}},
        """
        0  + amount     opened  opened
        30 =            told    opened
        31 =            told    lasts_long
        32 + error      joined  too_soon
        """,
    ),
    "it becomes more severe when it spreads": (
        {"escalate": {"features": 0.25}},
        """
        0  + amount     opened  opened
        2  + hour       joined  spread_far
        3  =            told    opened spread_far
        """,
    ),
    "what is severe already is not raised": (
        {"escalate": {"after": "30m"}},
        """
        0  + error      opened  opened
        99 =            told    opened
        """,
    ),
    "an alert long after the last belongs to another incident, with its own end": (
        {},
        """
        0   + amount    opened  opened
        61  + hour      opened  opened
        62  =           told    opened opened
        63  - amount    closed  resolved
        64  + age       joined  too_soon
        65  - hour      left    nothing_new
        66  - age       closed  resolved
        """,
    ),
    "another version has incidents of its own": (
        {},
        """
        0   + amount        opened  opened
        1   + amount/15     opened  opened
        2   + hour          joined  too_soon
        3   + error/        joined  severity_rose
        """,
    ),
    "a broken column is a cause of its own, with its own end": (
        {},
        """
        0   + amount        opened  opened
        30  + column        opened  opened
        31  - column        closed  resolved
        32  + hour          joined  features_doubled
        """,
    ),
    "a broken column belongs to what fired shortly before it, and the next column to it": (
        {},
        """
        0   + shares        opened  opened
        9   + column        joined  severity_rose
        50  + column2       joined  nothing_new
        """,
    ),
    "another version that takes over ends it": (
        {},
        """
        0   + amount        opened  opened
        1   + hour          joined  too_soon
        9   superseded 14   closed  superseded
        """,
    ),
    "a retraining that brought a version ends it": (
        {},
        """
        0   + amount        opened  opened
        9   retrained 14    closed  retrained
        """,
    ),
    "it is told again when trouble goes on long after it was told last, once, whichever alert it goes on in": (
        {"repeat": "60m"},
        """
        0   + amount        opened  opened
        0   + hour          joined  opened
        59  * amount        -       -
        60  * hour          -       repeated
        60  * amount        -       -
        61  =               told    opened repeated
        119 * amount        -       -
        120 * amount        -       repeated
        121 * amount        -       -
        121 =               told    repeated
        """,
    ),
    "nothing is told again of an incident in which nothing happens, and once of one that was long without news": (
        {"repeat": "60m"},
        """
        0   + amount        opened  opened
        900 =               told    opened
        901 * amount        -       repeated
        902 - amount        closed  resolved
        903 =               told    repeated resolved
        """,
    ),
    "news is told as what it is, and waited for from then on": (
        {"repeat": "60m"},
        """
        0   + amount        opened  opened
        40  + latency       joined  kind_joined
        61  * amount        -       -
        100 * amount        -       repeated
        101 =               told    opened kind_joined repeated
        """,
    ),
    "it is not told again while somebody is at work on it": (
        {"repeat": "60m"},
        """
        0   + amount        opened  opened
        5   ack 1
        61  * amount        -       acknowledged
        999 * amount        -       acknowledged
        999 =               told    opened
        """,
    ),
    "what is silenced does not tell it again, what is not does": (
        {"repeat": "60m"},
        """
        0   + amount        opened  opened
        0   + hour          joined  opened
        5   silence amount 300
        100 * amount        -       silenced
        101 * hour          -       repeated
        250 * amount        -       silenced
        300 * amount        -       repeated
        301 =               told    opened repeated repeated
        """,
    ),
    "without a repeat interval it is never told again": (
        {"repeat": None},
        """
        0   + amount        opened  opened
        9e4 * amount        -       -
        9e4 =               told    opened
        """,
    ),
    "what opened and ended in the same instant is told as both": (
        {},
        """
        0   + amount        opened  opened
        0   - amount        closed  resolved
        0   =               told    opened resolved
        """,
    ),
}


def ordered(state, act, words, at):
    """Return the state behind an order: somebody is at work on an incident, or silences what is found of a subject."""
    if act == "ack":
        order = Acknowledge(int(words[0]), "looking", "anna")
    else:
        order = BeginSilence((Matcher.of_text(f"subject={words[0]}"),), at(int(words[1])), "known", "anna")
    standing, _ = obey(state.standing, "fraud", [Given(1, "", order)], state.reached, {1})
    return msgspec.structs.replace(state, standing=standing)


def lines(story):
    return [line.split() for line in story.strip().splitlines()]


@pytest.fixture
def play(evidence, identity, at):
    """Play a story; what each line did to an incident, or what was told since the last line that asked."""

    def played(found, story):
        state, said, told, notices = Decisions(), [], [], []
        for minute, act, *rest in lines(story):
            if act == "=":
                state, outcome = settle(found, state, at(float(minute)))
            elif act in {"ack", "silence"}:
                state = ordered(state, act, rest, at)
                continue
            elif act in {"superseded", "retrained"}:
                if act == "retrained":
                    brought = Retraining("t", "k", "p", 1, "14", "b", 0, 0, 0, Progress.SUCCEEDED, becomes="15")
                    state = msgspec.structs.replace(state, retrainings=(brought,))
                state, outcome = supersede(found, state, rest[0], at(int(minute)), by="15")
            else:
                name, _, version = rest[0].partition("/")
                kind, subject = KINDS.get(name, (Kind.DRIFT, name))
                version = version if "/" in rest[0] else "14"
                who = identity(subject, kind=kind, version=version)
                state, outcome = decide(
                    found, state, [evidence(float(minute), {"+": "drift!", "*": "drift!", "-": "stable!"}[act], who)]
                )
            told += [n.reason.value for n in outcome.incidents]
            notices += outcome.incidents
            if act == "=":
                said.append(["told", *told])
                told = []
            else:
                last = outcome.decided[-1]
                said.append([str(last.change or "-"), str(last.telling or "-")])
        return state, said, notices

    return played


@pytest.mark.parametrize("title", STORIES)
def test_an_incident_is_told_as_its_story_says(title, play):
    changes, story = STORIES[title]
    _, said, _ = play(rules(changes), story)
    shown = [words for words in lines(story) if words[1] not in {"ack", "silence"}]
    expected = [words[2:] if words[1] == "=" else words[3:] for words in shown]
    assert said == expected


def test_every_change_and_every_reason_stands_in_a_story():
    words = {word for _, story in STORIES.values() for line in lines(story) for word in line}
    assert {each.value for each in Change} <= words
    assert {each.value for each in Telling} <= words


@pytest.mark.parametrize("reasons", [Telling, Change])
def test_every_reason_is_explained(reasons):
    explained = re.findall(r"^\s*([A-Z_]+)\n\s+[A-Z].*", reasons.__doc__, re.MULTILINE)
    assert sorted(explained) == sorted(reason.name for reason in reasons)


def test_an_alert_whose_trouble_began_in_time_belongs_however_late_it_was_found(evidence, identity):
    """Labels come late: the accuracy of that hour is known a day after the features drifted."""
    story = [
        evidence(0, "drift!", identity("amount", kind=Kind.DRIFT)),
        evidence(1500, "drift!", since=40),
        evidence(1501, "drift!", identity("latency", kind=Kind.LATENCY), since=1490),
        evidence(9000, "drift!", identity("hour", kind=Kind.DRIFT), since=8999),
    ]
    _, outcome = decide(rules(), Decisions(), story)
    assert [n.incident for n in outcome.notices] == [1, 1, 1, 2]


def test_a_cause_of_its_own_is_held_against_when_trouble_began_not_when_it_was_found(evidence, identity):
    column = identity("age", kind=Kind.SCHEMA)
    story = [
        evidence(0, "drift!", identity("amount", kind=Kind.DRIFT), since=-30),
        evidence(100, "drift!", identity("hour", kind=Kind.DRIFT), since=20),
        evidence(101, "drift!", column, since=99),
    ]
    _, outcome = decide(rules({"together": "1d"}), Decisions(), story)
    assert [n.incident for n in outcome.notices] == [1, 1, 2]
    story[1] = evidence(100, "drift!", identity("hour", kind=Kind.DRIFT), since=90)
    _, outcome = decide(rules({"together": "1d"}), Decisions(), story)
    assert [n.incident for n in outcome.notices] == [1, 1, 1]


def test_alerts_belong_together_for_as_long_as_labels_are_waited_for():
    model = {"predictions": {"topic": "p", "id": "i", "prediction": {"kind": "binary", "score": "s"}},
             "baseline": {"first": 10}}  # fmt: skip
    waits = [None, *({"topic": "l", "id": "i", "value": "y", "wait": wait} for wait in ("3d", "2h"))]
    policies = [IncidentPolicy.of_settings(Model.model_validate(model | {"labels": labels})) for labels in waits]
    assert [policy.together for policy in policies] == [1440 * MINUTE, 3 * 1440 * MINUTE, 1440 * MINUTE]


def test_each_of_two_incidents_of_a_version_has_one_trigger(evidence, identity):
    amount, hour = identity("amount", kind=Kind.DRIFT), identity("hour", kind=Kind.DRIFT)
    story = [evidence(0, "drift!", amount), evidence(100, "drift!", hour)]
    story += [evidence(100 + i, "drift!", who, labels=i) for i in range(1, 9) for who in (amount, hour)]
    _, outcome = decide(rules(), Decisions(), story)
    assert [t.incident for t in outcome.triggers] == [1, 2]
    assert [[c.identity for c in t.causes] for t in outcome.triggers] == [[amount], [hour]]
    assert {reason for each in outcome.decided[2:] for _, reason in each.retrain} == {RetrainReason.ALREADY_TRIGGERED}


def test_a_number_of_features_is_drifted_once_however_many_detectors_and_segments_say_so(evidence, identity):
    who = [identity("amount", kind=Kind.DRIFT, monitor=m, segment=s) for m in ("a", "b") for s in ("", "c=1")]
    state, _ = decide(rules(), Decisions(), [evidence(0, "drift!", each) for each in who])
    _, outcome = settle(rules(), state, state.reached + 1)
    (notice,) = outcome.incidents
    assert (notice.drifted, notice.watched, notice.firing, [f.name for f in notice.features]) == (1, 8, 4, ["amount"])


NIGHT = """
0  + amount     opened  opened
0  + hour       joined  opened
2  + error      joined  severity_rose
30 - hour       left    nothing_new
"""


def test_a_message_is_what_alertmanager_takes_and_lists_its_alerts_those_that_fire_and_the_worst_first(play):
    _, _, notices = play(rules(), NIGHT + "50 - amount left nothing_new\n70 - error closed resolved")
    opened, rose, resolved = (json.loads(incident_message("/aw", "alerts", n).value) for n in notices)
    assert [m["type"] for m in (opened, rose, resolved)] == [
        f"io.anchorwatch.incident.{status}.v1" for status in ("opened", "updated", "resolved")
    ]
    labels = [m["data"]["labels"] for m in (opened, rose, resolved)]
    identity = {"alertname": "ModelIncident", "model": "fraud", "incident": "1"}
    assert labels == [identity | {"severity": s} for s in ("warning", "critical", "critical")]
    assert len({m["data"]["fingerprint"] for m in (opened, rose, resolved)}) == 1
    assert len({m["id"] for m in (opened, rose, resolved)}) == 3
    assert [("endsAt" in m["data"]) for m in (opened, rose, resolved)] == [False, False, True]
    assert {m["data"]["startsAt"] for m in (opened, rose, resolved)} == {"2026-05-01T08:00:00Z"}
    assert all(isinstance(v, str) for m in (opened, resolved) for v in m["data"]["annotations"].values())
    assert [c["subject"] for c in rose["data"]["children"]] == ["error rate", "amount", "hour"]
    assert {c["status"] for c in resolved["data"]["children"]} == {"resolved"}
    assert (resolved["data"]["firing"], resolved["data"]["alerts"]) == (0, 3)


def test_children_bear_the_fingerprints_of_their_own_messages(play, evidence, identity):
    state, outcome = decide(rules(), Decisions(), [evidence(0, "drift!")])
    _, settled = settle(rules(), state, state.reached + 1)
    message = json.loads(incident_message("/aw", "alerts", settled.incidents[0]).value)
    assert [c["fingerprint"] for c in message["data"]["children"]] == [fingerprint_of(outcome.notices[0])]


def test_the_summary_says_what_happened_how_bad_it_is_since_when_and_where_it_began(play):
    _, _, notices = play(rules(), NIGHT + "70 = told")
    said = "fraud version 14: 2 of 8 features drifted since 08:00 UTC, first: amount"
    assert [incident_summary(n) for n in notices] == [
        f"{said}.",
        f"Now critical: {said}; error rate 23.9 % -> 31.0 %.",
    ]


def test_what_is_told_again_is_an_update_with_an_id_of_its_own_that_says_how_long_it_lasts(play):
    story = "0 + amount opened opened\n90 * amount - repeated\n91 = told"
    _, _, notices = play(rules({"repeat": "60m"}), story)
    opened, again = (json.loads(incident_message("/aw", "alerts", n).value) for n in notices)
    assert again["type"] == "io.anchorwatch.incident.updated.v1"
    assert (again["data"]["reason"], again["data"]["notice"], again["data"]["kinds_joined"]) == ("repeated", 2, [])
    assert again["data"]["annotations"]["summary"].startswith("Still open after 1h 30m: fraud version 14: amount drif")
    assert again["data"]["fingerprint"] == opened["data"]["fingerprint"]
    assert again["id"] != opened["id"]


def test_alerts_and_incidents_are_repeated_as_seldom_by_default():
    model = {"predictions": {"topic": "p", "id": "i", "prediction": {"kind": "binary", "score": "s"}},
             "baseline": {"first": 10}}  # fmt: skip
    found = rules_of("/aw", "fraud", Model.model_validate(model))
    assert {policy.repeat for kind, policy in found.alerts.items() if kind is not Kind.RETRAIN} == {
        found.incidents.repeat
    }


@pytest.mark.parametrize(
    ("effect", "n", "said"),
    [
        (40.0, 200, "; segment country=DE carries 80 %."),
        (11.0, 900, "since 08:00 UTC."),  # 99 % of the trouble, and 90 % of the traffic: no news
        (40.0, 100, "since 08:00 UTC."),  # 40 %
    ],
)
def test_the_summary_names_a_segment_that_carries_much_more_than_its_part(evidence, identity, effect, n, said):
    german = identity(segment="country=DE")
    story = [
        evidence(10, "drift!", since=0, effect=10.0, n=1000),
        evidence(10, "drift!", german, since=0, effect=effect, n=n),
    ]
    state, _ = decide(rules(), Decisions(), story)
    _, outcome = settle(rules(), state, state.reached + 1)
    assert incident_summary(outcome.incidents[0]).endswith(said)


def test_the_state_is_plain_data_and_comes_back_through_json(play):
    state, _, _ = play(rules(), NIGHT)
    assert Decisions.from_plain(json.loads(json.dumps(state.to_plain(), allow_nan=False))) == state
    with pytest.raises(msgspec.ValidationError):
        Decisions.from_plain(state.to_plain() | {"incidents": 3})


def test_a_resolved_alert_is_remembered_as_long_as_its_incident_and_the_lightest_are_forgotten_first(
    evidence, identity
):
    state = Decisions()
    keep = identity("stays", kind=Kind.DRIFT)
    story = [evidence(0, "drift!", keep)]
    for i in range(60):
        who = identity("amount", kind=Kind.DRIFT, segment=f"shop={i:02}")
        story += [evidence(1, "drift!", who, effect=float(i)), evidence(2, "stable!", who)]
    state, _ = decide(rules(), state, sorted(story, key=lambda e: e.at))
    gone = state.incidents.open[0].gone
    assert [child.identity.segment for child in gone] == [f"shop={i:02}" for i in range(10, 60)]


def test_every_kind_has_its_words_in_a_summary(evidence, identity):
    """One alert of each kind, then another that tells them as news: no kind may be left without a name."""
    for kind in Kind:
        who = identity("a subject", kind=kind)
        alerts = {}
        book = Ledger("fraud", IncidentPolicy(gather=0), Incidents(), alerts)
        for minute, each in enumerate((identity("first", kind=Kind.ACCURACY), who)):
            found = evidence(minute, "drift!", each)
            number = book.joining(found, None)
            step = advance(STEADY, None, found, Situation(minute + 1, number))
            alerts[each] = step.state
            book.follow(step.notice)
            book.come_to(found.at + 1)
        assert all(incident_summary(notice).endswith(".") for notice in book.notices), kind
