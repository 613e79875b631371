import math
import sqlite3

import pytest
from sqlite_utils import Database

from anchorwatch.store import history, retention, schema
from anchorwatch.store.retention import Retention
from anchorwatch.store.rows import Checkpoint

DAY = 86_400 * 10**9


def test_scores_are_found_by_their_columns_and_their_time_newest_first(store, rows):
    store.checkpoint(
        Checkpoint(
            at=1,
            scores=[
                rows.score(k, model=model, subject=subject)
                for k in (3, 1, 2)
                for model in ("fraud", "churn")
                for subject in ("amount", "hour")
            ],
        )
    )
    assert len(store.scores()) == 12
    found = store.scores(model="churn", subject="hour")
    assert [score.at for score in found] == [1003, 1002, 1001]
    assert {(score.model, score.subject) for score in found} == {("churn", "hour")}
    assert {score.at for score in store.scores(since=1002, until=1003)} == {1002}
    assert [score.at for score in store.scores(model="fraud", subject="hour", limit=2)] == [1003, 1002]
    assert store.scores(monitor="adwin") == []


def test_a_filter_that_does_not_exist_is_a_mistake_of_the_caller(store):
    with pytest.raises(TypeError, match="no filter 'colour'"):
        store.scores(colour="red")


def test_the_current_alerts_are_the_last_transition_of_each(store, rows):
    store.checkpoint(
        Checkpoint(
            at=1,
            alerts=[
                rows.alert(1, fingerprint="a", status="pending"),
                rows.alert(2, fingerprint="b", status="firing"),
                rows.alert(3, fingerprint="c", status="firing", model="churn"),
                rows.alert(4, fingerprint="a", status="firing"),
            ],
        )
    )
    store.checkpoint(Checkpoint(at=2, alerts=[rows.alert(5, fingerprint="b", status="resolved", ends_at=1005)]))
    assert [(alert.fingerprint, alert.status) for alert in store.current_alerts()] == [
        ("b", "resolved"), ("a", "firing"), ("c", "firing"),
    ]  # fmt: skip
    assert [alert.fingerprint for alert in store.current_alerts(model="fraud", status="firing")] == ["a"]
    assert [alert.status for alert in store.alerts(fingerprint="a")] == ["firing", "pending"]
    assert store.alerts(status="resolved")[0].ends_at == 1005


def test_transitions_of_the_same_moment_are_told_apart_by_their_order(store, rows):
    store.checkpoint(
        Checkpoint(at=1, alerts=[rows.alert(1, at=7, status="firing"), rows.alert(2, at=7, status="resolved")])
    )
    assert [alert.status for alert in store.current_alerts()] == ["resolved"]


def test_what_was_told_of_incidents_is_kept_once_and_found_newest_first(store, rows):
    tellings = [rows.incident(1), rows.incident(2, incident=1, status="updated"), rows.incident(3, model="churn")]
    for at in (1, 2):
        store.checkpoint(Checkpoint(at=at, incidents=tellings))
    assert [row.id for row in store.incidents()] == ["incident-3", "incident-2", "incident-1"]
    assert [row.status for row in store.incidents(model="fraud", incident=1)] == ["updated", "opened"]
    assert store.incidents(model="churn", limit=1) == [tellings[2]]
    assert [row.id for row in store.open_incidents()] == ["incident-3", "incident-2"]
    store.checkpoint(Checkpoint(at=3, incidents=[rows.incident(4, incident=1, status="resolved", ended_at=1004)]))
    assert store.open_incidents(model="fraud") == []


def test_an_incident_that_is_open_keeps_its_last_telling_however_old(store, rows):
    tellings = [rows.incident(1), rows.incident(2, incident=1, status="updated"), rows.incident(3, status="resolved")]
    store.checkpoint(Checkpoint(at=0, incidents=tellings))
    assert store.prune(900 * DAY) == 2
    assert [row.id for row in store.incidents()] == ["incident-2"]


def test_triggers_are_found_by_model_and_policy(store, rows):
    store.checkpoint(
        Checkpoint(at=1, triggers=[rows.trigger(1), rows.trigger(2, policy="weekly"), rows.trigger(3, model="churn")])
    )
    assert [trigger.id for trigger in store.triggers(model="fraud")] == ["trigger-2", "trigger-1"]
    assert [trigger.id for trigger in store.triggers(policy="weekly")] == ["trigger-2"]
    assert [trigger.id for trigger in store.triggers(limit=1)] == ["trigger-3"]


def test_each_status_of_a_retraining_is_kept_once_and_found_newest_first(store, rows):
    passed = [
        rows.stage(1, status="acknowledged"), rows.stage(1, at=1005, by="", version="2", status="succeeded"),
        rows.stage(2, model="churn"),
    ]  # fmt: skip
    for at in (1, 2):
        store.checkpoint(Checkpoint(at=at, stages=passed))
    store.checkpoint(Checkpoint(at=3, stages=[rows.stage(1, status="succeeded", at=2000, version="3")]))
    assert store.stages() == [passed[1], passed[2], passed[0]]
    assert [row.status for row in store.stages(trigger="trigger-1")] == ["succeeded", "acknowledged"]
    assert store.stages(model="churn", limit=1) == [passed[2]]


def test_what_retrainings_came_to_is_forgotten_with_the_alerts(store, rows):
    for day in range(4):
        store.checkpoint(Checkpoint(at=day * DAY, stages=[rows.stage(day)]))
    assert store.prune(3 * DAY, Retention(alerts=2 * DAY)) == 1
    assert [row.incident for row in store.stages()] == [3, 2, 1]


def test_a_store_of_before_them_is_brought_to_this_version_by_its_writer(path, opened, rows):
    store = opened()
    store.checkpoint(rows.checkpoint(1))
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE stages")
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_stages'")
    connection.execute("PRAGMA user_version = 4")
    connection.close()
    again = opened()
    assert (again.stages(), again.triggers()) == ([], [rows.trigger(1)])
    again.checkpoint(rows.checkpoint(2))
    assert again.stages() == [rows.stage(2)]


def test_history_is_pruned_by_when_it_was_written_in_steps_of_bounded_size(store, rows):
    for day in range(4):
        store.checkpoint(
            Checkpoint(at=day * DAY, scores=[rows.score(k, at=10**15 + k, n=day) for k in range(5)],
                       triggers=[rows.trigger(day)])
        )  # fmt: skip
    keep = Retention(scores=DAY, alerts=2 * DAY)
    deleted = []
    while deleted[-1:] != [0]:
        deleted.append(store.prune(3 * DAY, keep, step=4))
    assert deleted == [4 + 1, 4, 2, 0]
    assert {score.n for score in store.scores()} == {2, 3}
    assert [trigger.incident for trigger in store.triggers()] == [3, 2, 1]


def test_an_alert_that_has_not_resolved_keeps_its_last_transition_however_old(store, rows):
    store.checkpoint(
        Checkpoint(
            at=0,
            alerts=[
                rows.alert(1, fingerprint="lasting", status="pending"),
                rows.alert(2, fingerprint="lasting", status="firing"),
                rows.alert(3, fingerprint="over", status="firing"),
                rows.alert(4, fingerprint="over", status="resolved"),
            ],
        )
    )
    while store.prune(1000 * DAY, step=1):
        pass
    assert [alert.id for alert in store.alerts()] == ["alert-2"]


def test_the_newest_published_ids_are_remembered_however_old(store, rows):
    count = retention.KEPT_IDS + 3
    store._connection.execute(
        "WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < ?)"
        " INSERT INTO published (id, at) SELECT 'out-' || i, 0 FROM k",
        (count,),
    )
    while store.prune(1000 * DAY):
        pass
    store.checkpoint(Checkpoint(at=1, outbox=[rows.outgoing(k) for k in (1, 3, 4, count)]))
    assert [message.id for message in store.unpublished(9)] == ["out-1", "out-3"]


def test_pruning_leaves_states_positions_outbox_and_baselines_alone(store, rows):
    store.checkpoint(rows.checkpoint(1))
    while store.prune(10**18, Retention(0, 0, 0)):
        pass
    assert store.scores() == store.triggers() == store.stages() == []
    assert store.parts("fraud")["join"] == b"j1"
    assert store.positions()
    assert store.unpublished(5) == [rows.outgoing(1)]
    assert len(store.baselines()) == len(store.alerts()) == 1
    assert store.check() == []


def test_a_score_keeps_its_interval_and_coverage_where_it_has_them(store, rows):
    store.checkpoint(
        Checkpoint(at=1, scores=[rows.score(1, low=0.68, high=0.73, coverage=0.934), rows.score(2)]),
    )
    plain, metric = store.scores()
    assert (metric.low, metric.high, metric.coverage) == (0.68, 0.73, 0.934)
    assert all(math.isnan(value) for value in (plain.low, plain.high, plain.coverage))


def test_scores_of_an_older_store_are_read_without_an_interval(path):
    connection = sqlite3.connect(path, isolation_level=None)
    schema.MIGRATIONS.apply(Database(connection), stop_before="m003_intervals")
    connection.execute(
        """
        INSERT INTO scores (id, stored, model, version, segment, kind, subject, monitor, at, level, reason, direction,
                            n, baseline)
        VALUES (x'00', 1, 'fraud', '1', '', 'drift', 'amount', 'psi', 1004, 'stable', 'small_effect', 'changed', 5, 'b')
        """
    )
    schema.migrate(connection)
    (old,) = history.scores(connection, {}, 9)
    connection.close()
    assert (old.at, old.subject, old.baseline) == (1004, "amount", "b")
    assert math.isnan(old.coverage)
