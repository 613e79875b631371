"""A schema break explains what else goes wrong with that version."""

import pytest

from anchorwatch.decide.alerts import AlertPolicy, Situation, advance
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.inhibition import inhibited

POLICY = AlertPolicy("critical", needs=2, of=3, keep_firing_for=0, cooldown=0, repeat=0)


@pytest.fixture
def alert(identity, evidence):
    """Return an alert of version 14 after one piece of evidence."""

    def after(word, **changes):
        return advance(POLICY, None, evidence(0, word, identity(**changes)), Situation(1, 1)).state

    return after


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.SCHEMA, Kind.RETRAIN}])
def test_a_firing_schema_alert_inhibits_every_other_kind_in_every_segment(kind, alert, identity):
    alerts = [alert("drift!", kind=Kind.DRIFT), alert("drift!", kind=Kind.SCHEMA)]
    assert inhibited(identity(kind=kind), alerts)
    assert inhibited(identity(kind=kind, segment="country=DE"), alerts)


def test_that_nobody_retrains_is_told_whatever_else_is_broken(alert, identity):
    assert not inhibited(identity(kind=Kind.RETRAIN), [alert("drift!", kind=Kind.SCHEMA)])


def test_schema_alerts_do_not_inhibit_each_other(alert, identity):
    assert not inhibited(identity("hour", kind=Kind.SCHEMA), [alert("drift!", kind=Kind.SCHEMA)])


def test_another_version_is_not_inhibited(alert, identity):
    assert not inhibited(identity(version="15"), [alert("drift!", kind=Kind.SCHEMA)])


def test_a_schema_alert_that_is_only_pending_inhibits_nothing(alert, identity):
    assert not inhibited(identity(), [alert("drift", kind=Kind.SCHEMA)])


def test_alerts_of_other_kinds_inhibit_nothing(alert, identity):
    assert not inhibited(identity(kind=Kind.DRIFT), [alert("drift!", kind=Kind.QUALITY)])
