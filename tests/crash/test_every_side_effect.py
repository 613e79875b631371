"""Failure 1: the process dies at any boundary of a side effect, and nothing of it can be seen afterwards."""

import json
from contextlib import closing
from dataclasses import replace

import pytest
from tests.property.worlds import World
from tests.unit.host.runs import OUTPUTS, QUICK, a_host, a_source, found, opened, to_the_end

from anchorwatch.testing import EOF, Crash, ListSink, SideEffects

WORLD = World(seed=57, n=200, partitions=(2, 1), segments=False, versions=False, lateness=2, wait=60, answered=True)
LOGS = WORLD.records()


def run_until_done(path, *ends, pace=QUICK):
    """Run with a new host and store on the same file after each end; return sink, source and boundaries by start.

    The first start ends at the boundary `ends[0]`, the next at `ends[1]`; when they are used up it comes through.
    """
    source, sink, starts = a_source(LOGS, EOF), ListSink(), []
    for end in [*ends, None]:
        effects = SideEffects(end)
        starts.append(effects.passed)
        with closing(opened(path)) as store:
            try:
                to_the_end(a_host(WORLD, source, sink, store, effects=effects, pace=pace))
            except Crash:
                continue
            break
    return sink, source, starts


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return what a run comes to that is never ended: outputs, store, and its boundaries."""
    path = tmp_path_factory.mktemp("whole") / "store.db"
    sink, source, (passed,) = run_until_done(path)
    return sink, source, found(path), passed


def test_the_run_tells_of_everything_worth_losing(undisturbed):
    """Alerts, incidents, triggers and reports on them, dead letters, baselines: else nothing would be proved."""
    sink, source, store, passed = undisturbed
    assert len(sink.of(OUTPUTS.alerts)) > 3
    triggers = [json.loads(message.value) for message in sink.of(OUTPUTS.retrain)]
    asked = {(trigger["id"], trigger["data"]["incident"]) for trigger in triggers}
    assert len(triggers) > len(asked) >= 2, "some were published again"
    assert len({ident for ident, _ in asked}) == len({incident for _, incident in asked}) == len(asked)
    told = [json.loads(message.value)["data"] for message in sink.of(OUTPUTS.alerts)]
    assert "unanswered" in {alert["labels"].get("monitor") for alert in told}
    assert "retrained" in {alert["reason"] for alert in told}
    assert len(sink.of(OUTPUTS.dead_letters)) > 3
    assert {row.status for row in store["incidents"]} == {"opened", "updated", "resolved"}
    assert len(store["baselines"]) >= 2
    assert "repeated" in {row.reason for row in store["incidents"]}
    stages = {row.status for row in store["stages"]}
    assert stages == {"requested", "acknowledged", "unanswered", "cancelled", "succeeded"}
    assert store["positions"] == source.committed
    assert 50 < len(passed) < 200
    assert {"after Store.checkpoint", "before Store.published", "after ListSource.commit"} <= set(passed)


def test_failure_01_a_kill_at_every_side_effect_changes_nothing(undisturbed, tmp_path):
    """Same outputs byte for byte, same ids, same history, same final state, whatever was the last thing done."""
    sink, _, store, passed = undisturbed
    for k in range(1, len(passed) + 1):
        path = tmp_path / f"{k}.db"
        again, source, starts = run_until_done(path, k)
        assert len(starts) == 2, passed[k - 1]
        assert again.distinct() == sink.distinct(), passed[k - 1]
        assert list(again.distinct()) == list(sink.distinct()), passed[k - 1]
        assert found(path) == store, passed[k - 1]
        assert source.committed == store["positions"]


@pytest.mark.parametrize("k", [17, 24, 31])
def test_failure_02_a_kill_soon_after_every_start_still_makes_progress(undisturbed, tmp_path, k):
    """Killed again and again at the same distance from each start: it comes to the end, and to the same end."""
    sink, _, store, passed = undisturbed
    small = replace(QUICK, records=8)  # what one checkpoint publishes fits between two ends
    again, _, starts = run_until_done(tmp_path / "store.db", *[k] * len(passed), pace=small)
    assert len(passed) / k < len(starts) < 50
    assert again.distinct() == sink.distinct()
    assert found(tmp_path / "store.db") == store
