"""Each benchmark runs, and the loop that anchorwatch is measured against finds what anchorwatch finds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from benchmarks import join, replay, rollouts, run, store
from benchmarks.logs import simulated
from benchmarks.measurement import alternate, durations, rates

PREDICTIONS, BASELINE = 15_000, 4_000


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("log"), PREDICTIONS, BASELINE)


@pytest.fixture(scope="module")
def report(log):
    return replay.ours(log)


@pytest.fixture(scope="module", params=["auto", "asymp"])
def naive(request, log):
    return replay.theirs(replace(log, job=replace(log.job, p_value=request.param)))


def told(report):
    """Return (subject, segment) of every alert that fired; "" for all traffic."""
    labels = [alert["data"]["labels"] for alert in report.alerts if alert["data"]["notice"] == 1]
    return {(label["subject"], label.get("segment", "")) for label in labels}


def test_both_read_every_event(report, naive, log):
    counts = report.accounting["fraud"]
    assert counts["predictions"] + counts["labels"] == log.events
    assert naive.predictions == counts["predictions"]
    assert naive.labels == counts["matched"]


@pytest.mark.parametrize(
    ("subject", "since"), [("amount", 0.4), ("error rate", 0.6), ("device_age", 0.8)], ids=["drift", "errors", "break"]
)
def test_both_find_each_planted_change(report, naive, subject, since):
    rows = [alert.row for alert in naive.alerts if alert.subject.startswith(subject) and alert.segment == ""]
    share = 1.0 if subject != "error rate" else naive.labels / PREDICTIONS
    assert min(rows) >= since * PREDICTIONS * share * 0.95
    assert any(name.startswith(subject) and segment == "" for name, segment in told(report))


def test_neither_tells_of_anything_before_the_first_change(report, naive, log):
    change = int(0.4 * PREDICTIONS)
    moment = json.loads(log.lines(log.predictions)[change])["ts"][:19]
    assert min(alert.row for alert in naive.alerts) >= change
    assert min(alert["time"] for alert in report.alerts)[:19] >= moment


def test_the_benchmark_of_replay_measures_both_loops(tmp_path):
    short = simulated(tmp_path, 2_500, 1_000)
    found = replay.compared(short, rounds=1)
    against = [each.against["name"] for each in found]
    assert against == ["naive loop", "naive loop, asymptotic p-values", "naive loop"]
    assert [each.name.endswith("all defaults") for each in found] == [False, False, True]
    assert all(each.unit == "events/s" and len(each.rounds) == 1 for each in found)


def test_the_benchmark_of_the_store_writes_a_whole_state():
    found = store.compared(1_500, rounds=1, baseline=500)
    assert found.unit == "ms"
    assert len(found.rounds) == 1


def test_the_benchmark_of_the_join_finds_what_a_table_finds_and_writes_it_to_the_store():
    traffic = join.Traffic(20_000, batch=500, turns=10)
    mine, theirs = join.ours(traffic), join.in_sqlite(traffic)
    assert mine.matched == theirs.matched > 4_000
    assert mine.written > 25_000 * join.ROW / 1e6
    assert 0 < mine.longest < mine.seconds


def test_the_benchmark_of_rollouts_tells_larger_errors_sooner():
    small, large = (rollouts.Case("", np.random.Generator.standard_normal, times) for times in (1.3, 2.0))
    found = [rollouts.compared(case, draws=5) for case in (small, large)]
    assert found[0].value > found[1].value > found[1].against["value"]


def test_contenders_take_turns_and_every_round_is_kept():
    turns = []
    seconds = alternate(3, lambda: turns.append("ours"), lambda: turns.append("theirs"))
    assert turns == ["ours", "theirs"] * 3
    assert [len(each) for each in seconds] == [2, 2, 2]


def test_a_ratio_is_the_median_over_the_rounds_and_not_that_of_medians_of_different_rounds():
    found = rates("replay", 100, "loop", [[1.0, 4.0], [1.0, 5.0], [10.0, 10.0]])
    assert (found.value, found.against["value"], found.ratio) == (100, 20, 4)


def test_a_rate_is_better_when_higher_and_a_duration_when_lower():
    assert rates("replay", 100, "loop", [[1.0, 4.0]]).ratio == pytest.approx(4)
    assert durations("write", "pickle", [[0.002, 0.006]]).ratio == pytest.approx(3)


def test_results_are_written_with_every_field(tmp_path):
    path = run.write("replay", [rates("replay", 10, "loop", [[1.0, 2.0]])], tmp_path)
    (only,) = json.loads(path.read_text())
    assert list(only) == ["name", "value", "unit", "against", "ratio", "rounds"]


def test_every_benchmark_is_found_and_another_name_is_refused(capsys):
    assert {"kafka", "replay", "store"} <= set(run.names())
    assert not {"naive", "logs", "run"} & set(run.names())
    assert run.main(["relpay"]) == 2
    assert "replay" in capsys.readouterr().err
