"""What holds for any evidence whatever."""

from itertools import groupby

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.alerts import Phase, Situation, advance
from anchorwatch.decide.decision import Decisions, decide, settle, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.ids import incident_id
from anchorwatch.decide.incident_policy import IncidentPolicy
from anchorwatch.decide.incidents import Telling
from anchorwatch.decide.labels import id_of
from anchorwatch.decide.notices import Status
from anchorwatch.decide.outcome import Outcome
from anchorwatch.decide.ranking import loudness
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain_policy import Asked, RetrainPolicy
from anchorwatch.decide.rules import Rules
from anchorwatch_detectors.base import Direction

MINUTE = 60 * 10**9
# how long an example takes depends on what else runs on the machine
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WORDS = ("drift", "changed", "better", "stable", "warning", "undetermined")

alert_policies = st.builds(
    AlertPolicy,
    severity=st.just("warning"),
    needs=st.integers(1, 3),
    of=st.integers(3, 5),
    keep_firing_for=st.integers(0, 3).map(lambda n: n * MINUTE),
    cooldown=st.integers(0, 3).map(lambda n: n * MINUTE),
    repeat=st.integers(0, 3).map(lambda n: n * MINUTE),
    flaps=st.sampled_from([0, 2, 3]),
    flaps_within=st.integers(2, 9).map(lambda n: n * MINUTE),
    flaps_quiet=st.integers(0, 3).map(lambda n: n * MINUTE),
)
incident_policies = st.builds(
    IncidentPolicy,
    together=st.integers(0, 6).map(lambda n: n * MINUTE),
    gather=st.integers(0, 5).map(lambda n: n * MINUTE),
    repeat=st.none() | st.integers(1, 6).map(lambda n: n * MINUTE),
    escalate_after=st.none() | st.integers(1, 9).map(lambda n: n * MINUTE),
    escalate_features=st.sampled_from([None, 0.5]),
    features=st.just(2),
)
retrain_policies = st.tuples(
    st.builds(
        RetrainPolicy,
        name=st.sampled_from(["a", "b"]),
        when=st.sampled_from([(Asked(Kind.ACCURACY, Direction.WORSE),), (Asked(Kind.DRIFT), Asked(Kind.SCHEMA))]),
        min_labels=st.integers(0, 5),
        cooldown=st.integers(0, 5).map(lambda n: n * MINUTE),
        expires=st.just(MINUTE),
        dry_run=st.booleans(),
    )
)
rules = st.builds(
    Rules,
    source=st.just("/aw"),
    model=st.just("fraud"),
    alerts=st.fixed_dictionaries(dict.fromkeys(Kind, alert_policies)),
    retrain=retrain_policies,
    incidents=incident_policies,
)
# step in time (may go back), word, decisive, version, kind, labels gained, labels since the change
happenings = st.tuples(
    st.integers(-1, 3),
    st.sampled_from(WORDS + ("drift",) * 4 + ("stable",) * 2),
    st.booleans(),
    st.sampled_from(["1", "2"]),
    st.sampled_from([Kind.ACCURACY, Kind.DRIFT, Kind.SCHEMA]),
    st.integers(0, 3),
    st.integers(0, 3),
)


@pytest.fixture(scope="session")
def told(evidence, identity):
    """Turn happenings into evidence."""

    def build(story):
        minute, labels, out = 0, 10, []
        for step, word, decisive, version, kind, gained, since in story:
            minute, labels = minute + step, labels + gained
            who = identity(str(kind), kind=kind, version=version)
            out.append(
                evidence(minute, word + "!" * decisive, who, labels=labels, labels_since=since, since=minute - 1)
            )
        return out

    return build


def one_after_the_other(rules, evidence):
    """Decide in calls of one piece each, keeping the state as plain data in between."""
    state, outcomes = Decisions(), []
    for each in evidence:
        state, outcome = decide(rules, Decisions.from_plain(state.to_plain()), [each])
        outcomes.append(outcome)
    return state, outcomes


def joined(outcomes):
    return tuple(tuple(item for outcome in outcomes for item in outcome[i]) for i in range(len(Outcome._fields)))


@many
@given(rules, st.lists(happenings, max_size=40), st.data())
def test_it_does_not_matter_how_evidence_is_cut_into_calls(told, rules, story, data):
    evidence = told(story)
    whole, outcome = decide(rules, Decisions(), evidence)
    single, outcomes = one_after_the_other(rules, evidence)
    assert single.to_plain() == whole.to_plain()
    assert joined(outcomes) == tuple(outcome)
    cut = data.draw(st.integers(0, len(evidence)))
    state, first = decide(rules, Decisions(), evidence[:cut])
    state, second = decide(rules, state, evidence[cut:])
    assert (state, joined([first, second])) == (whole, tuple(outcome))


@many
@given(rules, st.lists(happenings, max_size=40))
def test_repeated_evidence_changes_and_tells_nothing(told, rules, story):
    state = Decisions()
    for each in told(story):
        state, _ = decide(rules, state, [each])
        again, outcome = decide(rules, state, [each])
        assert again == state
        assert (outcome.notices, outcome.triggers) == ((), ())


@many
@given(rules, st.lists(happenings, max_size=60))
def test_every_alert_fires_before_it_resolves_and_resolves_before_it_fires_again(told, rules, story):
    _, outcome = decide(rules, Decisions(), told(story))
    assert [n.at for n in outcome.notices] == sorted(n.at for n in outcome.notices)
    by_identity = sorted(outcome.notices, key=lambda n: n.identity)
    for _, group in groupby(by_identity, key=lambda n: n.identity):
        notices = list(group)
        for _, telling in groupby(notices, key=lambda n: n.episode):
            episode = list(telling)
            assert [n.number for n in episode] == list(range(1, len(episode) + 1))
            assert episode[0].reason in {Reason.FIRED, Reason.FLAPPING}
            assert {n.reason for n in episode[1:-1]} <= {Reason.REPEATED}
            assert len({(n.incident, n.started_at, n.severity, n.trouble.since) for n in episode}) == 1
        ended = [n.episode for n in notices if n.status is Status.RESOLVED]
        assert ended == list(dict.fromkeys(n.episode for n in notices))[: len(ended)]


@many
@given(rules, st.lists(happenings, max_size=60))
def test_episodes_and_incidents_count_from_one_and_leave_no_number_out(told, rules, story):
    state, outcomes = one_after_the_other(rules, told(story))
    fired = [n for outcome in outcomes for n in outcome.notices if n.begins]
    assert [n.episode for n in fired] == list(range(1, state.episodes + 1))
    incidents = sorted({n.incident for n in fired})
    assert incidents == list(range(1, state.incidents.number + 1))


@many
@given(rules, st.lists(happenings, max_size=60))
def test_no_id_is_given_twice_and_an_incident_has_one_trigger_of_a_policy(told, rules, story):
    _, outcome = decide(rules, Decisions(), told(story))
    ids = [id_of("/aw", notice) for notice in outcome.notices] + [trigger.id for trigger in outcome.triggers]
    ids += [incident_id("/aw", notice.model, notice.incident, notice.number) for notice in outcome.incidents]
    assert len(ids) == len(set(ids))
    incidents = [(trigger.policy, trigger.incident) for trigger in outcome.triggers]
    assert incidents == sorted(set(incidents))
    for trigger in outcome.triggers:
        assert trigger.labelled >= rules.retrain[0].min_labels
        assert all(rules.retrain[0].asks_for(cause) for cause in trigger.causes)


@many
@given(rules, st.lists(happenings, max_size=60))
def test_an_incident_is_open_exactly_while_an_alert_fires(told, rules, story):
    state = Decisions()
    for each in told(story):
        state, _ = decide(rules, state, [each])
        firing = sum(alert.phase is Phase.FIRING for alert in state.alerts.values())
        assert sum(incident.firing for incident in state.incidents.open) == firing
        assert all(incident.firing for incident in state.incidents.open)
        for alert in state.alerts.values():
            assert alert.episode is None or state.incidents.get(alert.episode.incident) is not None


@many
@given(rules, st.lists(happenings, max_size=60))
def test_an_incident_is_opened_then_updated_then_resolved_and_never_falls_in_severity(told, rules, story):
    state, outcome = decide(rules, Decisions(), told(story))
    _, last = settle(rules, state, 2**62)
    tellings = sorted([*outcome.incidents, *last.incidents], key=lambda n: n.incident)
    for number, group in groupby(tellings, key=lambda n: n.incident):
        notices = list(group)
        assert [n.number for n in notices] == list(range(1, len(notices) + 1))
        assert notices[0].reason is Telling.OPENED
        assert {n.status for n in notices[1:-1]} <= {"updated"}
        over = state.incidents.get(number) is None
        assert (notices[-1].status == "resolved") == (over and len(notices) > 1)
        loud = [loudness(n.severity) for n in notices]
        assert loud == sorted(loud)
        assert [n.at for n in notices] == sorted(n.at for n in notices)
    assert {n.incident for n in tellings} == set(range(1, state.incidents.number + 1))


@many
@given(rules, st.lists(happenings, max_size=40), st.data())
def test_letting_time_pass_between_any_two_pieces_of_evidence_tells_the_same(told, rules, story, data):
    """A host settles at the frontier of each batch, wherever batches end."""
    evidence = told(story)
    whole, outcome = decide(rules, Decisions(), evidence)
    whole, last = settle(rules, whole, whole.reached + 1)
    state, outcomes, frontier = Decisions(), [], -(2**62)
    for each in evidence:
        frontier = max(frontier, data.draw(st.integers(each.at - 2 * MINUTE, each.at)))
        state, passed = settle(rules, state, min(frontier, each.at))
        state, decided = decide(rules, state, [each])
        outcomes += [passed, decided]
    state, one = settle(rules, state, state.reached + 1)
    assert state == whole
    assert joined([*outcomes, one]) == joined([outcome, last])


@many
@given(rules, st.lists(happenings, max_size=60))
def test_only_alerts_with_something_to_remember_are_kept(told, rules, story):
    state, _ = decide(rules, Decisions(), told(story))
    for identity, alert in state.alerts.items():
        cooling = alert.resolved_at is not None and (
            alert.seen.at - alert.resolved_at < rules.alerts[identity.kind].cooldown
        )
        recent = rules.alerts[identity.kind].recent(alert.fired, alert.seen.at)
        assert alert.phase is not Phase.INACTIVE or cooling or recent


@many
@given(rules, st.lists(happenings, max_size=40), st.sampled_from(["1", "2"]))
def test_a_version_that_was_replaced_has_no_alert_left_and_ends_each_that_fired(told, rules, story, version):
    state, _ = decide(rules, Decisions(), told(story))
    firing = {i for i, a in state.alerts.items() if a.phase is Phase.FIRING and i.version == version}
    after, outcome = supersede(rules, state, version, 10**18)
    assert {notice.identity for notice in outcome.notices} == firing
    assert {identity.version for identity in after.alerts} <= {"1", "2"} - {version}
    assert supersede(rules, after, version, 10**18)[1].decided == ()


@many
@given(st.integers(1, 4), st.integers(4, 6), st.lists(st.booleans(), max_size=40))
def test_an_alert_fires_on_enough_of_the_last_windows_and_ends_when_none_is_bad_as_counted_by_hand(
    evidence, needs, of, windows
):
    policy = AlertPolicy("warning", needs=needs, of=of, keep_firing_for=0, cooldown=0, repeat=0)
    state, firing, recent = None, False, []
    for minute, bad in enumerate(windows):
        state, _, _ = advance(policy, state, evidence(minute, "drift" if bad else "stable"), Situation(1, 1))
        recent = [*recent, bad][-of:]
        if firing and not any(recent):
            firing, recent = False, []
        elif sum(recent) >= needs:
            firing = True
        assert (state is not None and state.phase is Phase.FIRING) == firing


@many
@given(rules, st.lists(happenings, max_size=40))
def test_the_state_survives_msgpack_bit_for_bit(told, rules, story):
    state, _ = decide(rules, Decisions(), told(story))
    packed = msgspec.msgpack.encode(state.to_plain())
    assert msgspec.msgpack.encode(Decisions.from_plain(msgspec.msgpack.decode(packed)).to_plain()) == packed
