"""Two runs compared: what is matched with what, and what is said about each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from anchorwatch.comparison.differences import Change, compare
from anchorwatch.comparison.told import Told, What, told_by

START = datetime(2026, 5, 1, tzinfo=UTC)
NS = 10**9
EVERY_MINUTE = START.timestamp() * NS + np.arange(0, 600 * 60 * NS, 60 * NS)


def after(minutes):
    return None if minutes is None else START + timedelta(minutes=minutes)


def alert(at, until=None, *, subject="amount", severity="warning", since=None, model="m"):
    identity = (("model", model), ("subject", subject))
    since = at if since is None else since
    return Told(What.ALERT, model, identity, after(since), after(at), after(until), severity, f"{subject} at {at}")


def compared(first, second, models=(["m"], ["m"])):
    times = {name: EVERY_MINUTE.astype(np.int64) for name in {*models[0], *models[1]}}
    return compare(first, second, models, times)


def said(first, second):
    return [(d.change.value, d.told.summary) for d in compared(first, second).differences]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([], [], []),
        ([], [alert(5)], ["gained"]),
        ([alert(5)], [], ["lost"]),
        ([alert(5)], [alert(5)], ["same"]),
        ([alert(5)], [alert(3)], ["earlier"]),
        ([alert(5)], [alert(9)], ["later"]),
        ([alert(5)], [alert(5, severity="critical")], ["regraded"]),
        ([alert(5)], [alert(9, severity="critical")], ["later"]),
        ([alert(5)], [alert(5, subject="hour")], ["lost", "gained"]),
        ([alert(5, until=8)], [alert(9)], ["lost", "gained"]),
        ([alert(5, until=8)], [alert(9, since=7)], ["later"]),
        ([alert(5, until=8), alert(20)], [alert(21)], ["lost", "later"]),
        ([alert(5)], [alert(6, until=8), alert(20)], ["later", "gained"]),
    ],
)
def test_what_both_told_is_matched_by_its_labels_and_by_overlap_in_time(first, second, expected):
    assert sorted(change for change, _ in said(first, second)) == sorted(expected)


def test_a_difference_says_how_much_later_in_time_and_in_predictions():
    (later,) = compared([alert(5)], [alert(65)]).differences
    assert (later.shift, later.predictions) == (timedelta(hours=1), 60)
    (earlier,) = compared([alert(65)], [alert(5)]).differences
    assert (earlier.shift, earlier.predictions) == (timedelta(hours=-1), -60)
    assert (earlier.to_plain()["seconds"], earlier.to_plain()["predictions"]) == (-3600.0, -60)


def test_what_one_run_alone_told_has_no_difference_in_time():
    (gained,) = compared([], [alert(5)]).differences
    assert (gained.shift, gained.predictions) == (None, None)
    plain = gained.to_plain()
    assert (plain["first"], plain["second"]["at"]) == (None, "2026-05-01T00:05:00+00:00")


def test_models_that_one_configuration_alone_has_are_named_and_not_compared():
    models = (["m", "gone"], ["new", "m"])
    found = compared([alert(1, model="gone"), alert(2)], [alert(2), alert(3, model="new")], models)
    assert (found.models, found.only_first, found.only_second) == (("m",), ("gone",), ("new",))
    assert {difference.told.model for difference in found.differences} == {"m"}


def test_counts_are_those_of_a_model_and_a_kind():
    found = compared([alert(5), alert(5, subject="hour")], [alert(5), alert(7, subject="hour"), alert(9, subject="x")])
    counts = found.counts("m", What.ALERT)
    assert counts == {Change.SAME: 1, Change.LATER: 1, Change.GAINED: 1} | dict.fromkeys(
        (Change.LOST, Change.EARLIER, Change.REGRADED), 0
    )
    assert not any(found.counts("m", What.TRIGGER).values())


def test_a_comparison_does_not_depend_on_the_order_in_which_things_were_told():
    first, second = [alert(5), alert(9, subject="hour")], [alert(7, subject="hour"), alert(11)]
    assert said(first, second) == said(first[::-1], second[::-1])


def test_exchanging_the_runs_exchanges_gained_with_lost_and_earlier_with_later():
    first = [alert(5), alert(9, subject="hour"), alert(3, subject="x")]
    second = [alert(7), alert(8, subject="hour"), alert(4, subject="y")]
    mirror = {Change.GAINED: Change.LOST, Change.LOST: Change.GAINED,
              Change.EARLIER: Change.LATER, Change.LATER: Change.EARLIER}  # fmt: skip
    there = compared(first, second).counts("m", What.ALERT)
    back = compared(second, first).counts("m", What.ALERT)
    assert all(there[change] == back[other] for change, other in mirror.items())
    assert there[Change.GAINED] == there[Change.LOST] == there[Change.EARLIER] == there[Change.LATER] == 1


# What was told is read from the messages


def message(status, minute, *, episode=1, incident=1, since=None, severity="warning", subject="amount"):
    at = after(minute).isoformat()
    labels = {"alertname": "A", "model": "m", "subject": subject, "severity": severity}
    data = {
        "labels": labels, "annotations": {"summary": f"{subject} {status}"}, "status": status, "fingerprint": subject,
        "episode": episode, "incident": incident, "since": after(minute if since is None else since).isoformat(),
    }  # fmt: skip
    data |= {"endsAt": at} if status == "resolved" else {}
    return {"type": f"io.anchorwatch.alert.{status}.v1", "time": at, "data": data}


def trigger(minute, *, start, incident=1):
    window = {"start": after(start).isoformat(), "end": after(minute).isoformat()}
    return {
        "time": after(minute).isoformat(),
        "data": {"model": "m", "policy": "default", "incident": incident, "window": window},
    }


def test_an_alert_lasts_from_the_change_it_found_until_it_resolves_however_often_it_is_repeated():
    (told,) = (t for t in told_by([message("firing", 5, since=2), message("firing", 7), message("resolved", 9)], [])
               if t.what is What.ALERT)  # fmt: skip
    assert (told.since, told.at, told.until) == (after(2), after(5), after(9))
    assert "severity" not in dict(told.identity)
    assert told.severity == "warning"


def test_an_alert_that_fires_again_is_told_again():
    told = told_by([message("firing", 5), message("resolved", 9), message("firing", 20, episode=2, incident=2)], [])
    assert [(t.at, t.until) for t in told if t.what is What.ALERT] == [(after(5), after(9)), (after(20), None)]
    assert [t.at for t in told if t.what is What.INCIDENT] == [after(5), after(20)]


def test_an_incident_lasts_until_the_last_of_its_alerts_is_over():
    messages = [message("firing", 5), message("firing", 6, episode=2, subject="hour"), message("resolved", 9)]
    (lasting,) = (t for t in told_by(messages, []) if t.what is What.INCIDENT)
    assert (lasting.at, lasting.until) == (after(5), None)
    over = [*messages, message("resolved", 12, episode=2, subject="hour")]
    (over,) = (t for t in told_by(over, []) if t.what is What.INCIDENT)
    assert (over.at, over.until) == (after(5), after(12))
    assert "2 alerts" in over.summary


def test_triggers_of_two_runs_are_matched_where_their_incidents_overlap():
    first = told_by([message("firing", 5), message("resolved", 50)], [trigger(10, start=3)])
    second = told_by([message("firing", 8)], [trigger(30, start=4)])
    changes = {d.told.what: d.change for d in compared(first, second).differences}
    assert changes[What.TRIGGER] is changes[What.INCIDENT] is changes[What.ALERT] is Change.LATER
    another = told_by([message("firing", 80)], [trigger(90, start=75)])
    changes = [d.change for d in compared(first, another).differences if d.told.what is What.TRIGGER]
    assert sorted(changes) == [Change.GAINED, Change.LOST]


def test_a_message_on_the_topic_of_alerts_that_is_none_is_left_out():
    other = {"type": "io.anchorwatch.incident.opened.v1", "time": after(5).isoformat(), "data": {}}
    assert told_by([other], []) == []
