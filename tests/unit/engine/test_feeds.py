"""How much comes, of predictions and of labels: quiet while nothing changes, told when it does, and how soon."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.property.worlds import Run, World

from anchorwatch.decide.evidence import Kind
from anchorwatch.events.records import Partition
from anchorwatch_detectors.base import Level

START = 1_777_622_400
HOUR = 3600.0
PREDICTIONS, LABELS = Partition("predictions", 0), Partition("labels", 0)
WORLD = World(
    seed=0,
    first=2000,
    first_labels=1000,
    lateness=0,
    wait=20_000,
    early=0,
    extra={
        "segments": [],
        "retrain": [],
        "monitors": {
            **{kind: {"enabled": False} for kind in ("schema", "quality", "drift", "prediction", "latency")},
            "accuracy": {"enabled": False},
            "volume": {"covers": "0s", "rise": True, "alert": {"needs": 2, "of": 3}},
            "labels": {"alert": {"needs": 2, "of": 3}},
        },
    },
)


class Seen(Run):
    """A run that keeps its evidence."""

    def __init__(self, world, records):
        super().__init__(world, records)
        self.evidence, self.notices = [], []

    def take(self, amounts, idle=()):
        """Take records, and keep what came of them."""
        add = self.told.add

        def keep(outcome, letters):
            self.evidence += outcome.evidence
            self.notices += outcome.decision.notices
            add(outcome, letters)

        self.told.add = keep
        super().take(amounts, idle)
        self.told.add = add

    def found(self, kind, level=Level.DRIFT):
        """Return the evidence of a kind at a level."""
        return [e for e in self.evidence if e.identity.kind is kind and e.verdict.level is level]


def stream(times, delays, labelled):
    """Return logs of predictions at times (s), and of labels so much later where they come."""
    predictions = [json.dumps({"id": f"p{i}", "at": START + at, "score": 0.7}).encode() for i, at in enumerate(times)]
    came = sorted(zip((times + delays)[labelled], np.flatnonzero(labelled).tolist(), strict=True))
    labels = [json.dumps({"id": f"p{i}", "at": START + at, "truth": 1}).encode() for at, i in came]
    return {PREDICTIONS: predictions, LABELS: labels}


def run_of(times, seed=0, world=WORLD, *, delay=100.0, missing=0.1, change=None):
    """Run a stream of predictions whose labels come `delay` later on average; `change` may alter delays and labels."""
    rng = np.random.default_rng(seed)
    delays, labelled = rng.gamma(2.0, delay / 2, len(times)), rng.random(len(times)) > missing
    if change is not None:
        delays, labelled = change(rng, times, delays, labelled)
    return Seen(world, stream(times, delays, labelled)).take_all()


def poisson(n, seed):
    return np.cumsum(np.random.default_rng(seed).exponential(1.0, n))


def bursty(n, seed):
    """Return times of bursts of about ten, themselves at random."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.exponential(10.0, n // 10))
    return np.sort(np.repeat(at, 10) + rng.exponential(3.0, 10 * (n // 10)))


def daily(n, seed):
    """Return times at a rate that swings by nine tenths, eight times in 4,000 seconds, one period being a day."""
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.exponential(0.5, 4 * n))
    kept = rng.random(len(at)) < 0.5 * (1.0 + 0.9 * np.sin(2 * np.pi * at / 500.0))
    return at[kept][:n]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("times", [poisson, bursty, daily])
def test_nothing_is_told_of_streams_that_do_not_change(times, seed):
    """Predictions at random, in bursts, by a cycle that the baseline covers; labels at random. All is looked at."""
    run = run_of(times(8000, seed), seed)
    assert run.found(Kind.VOLUME) == run.found(Kind.LABELS) == run.notices == []
    assert len(run.found(Kind.VOLUME, Level.STABLE)) > 40
    assert {e.identity.subject for e in run.found(Kind.LABELS, Level.STABLE)} == {
        "label coverage", "label delay", "label feed",
    }  # fmt: skip


def test_a_fall_of_the_volume_is_told_and_its_end_too():
    """A quarter of the predictions comes for a while: one alert, which resolves."""
    times = poisson(9000, 1)
    thinned = (times > 4000) & (times < 6000) & (np.random.default_rng(2).random(len(times)) < 0.75)
    run = run_of(times[~thinned])
    assert [e.verdict.reason for e in run.found(Kind.VOLUME)][:3] == ["fewer"] * 3
    fired, resolved = [n for n in run.notices if n.identity.kind is Kind.VOLUME]
    assert 4000 < fired.at / 1e9 - START < 4400
    assert 6000 < resolved.at / 1e9 - START < 6600
    assert fired.trouble.latest.statistic == pytest.approx(0.25, abs=0.15)


def test_silence_is_told_although_nothing_comes_while_labels_move_event_time():
    """No prediction for as long as 500 usually take is enough, and one verdict says so."""
    times = poisson(6000, 1)
    cut = times[times < 4000]
    run = run_of(np.concatenate([cut, times[times > 4900]]), change=late_for_some)
    silent = run.found(Kind.VOLUME)
    assert "silent" in {e.verdict.reason for e in silent}
    told = next(e for e in silent if e.verdict.reason == "silent")
    assert 4490 < told.at / 1e9 - START < 4900
    assert told.decisive
    assert told.verdict.since / 1e9 - START == pytest.approx(4000, abs=150)


def late_for_some(rng, times, delays, labelled):
    """Let one label in ten come up to a thousand seconds later, from the beginning."""
    return np.where(rng.random(len(times)) < 0.1, delays + rng.uniform(0, 1000, len(times)), delays), labelled


def test_a_short_baseline_says_nothing_of_the_volume_but_silence():
    """It does not know the night: a fall is undetermined, with the reason."""
    monitors = {**WORLD.extra["monitors"], "volume": {}}
    times = poisson(6000, 1)
    thinned = (times > 3000) & (np.random.default_rng(2).random(len(times)) < 0.75)
    run = run_of(times[~thinned], world=replace(WORLD, extra={**WORLD.extra, "monitors": monitors}))
    assert run.found(Kind.VOLUME) == []
    assert {e.verdict.reason for e in run.found(Kind.VOLUME, Level.UNDETERMINED)} == {"baseline_too_short"}


def test_a_version_that_takes_over_is_no_fall_of_the_volume():
    """What comes is counted over all versions."""
    times = poisson(8000, 3)
    delays = np.full(len(times), 50.0)
    logs = stream(times, delays, np.ones(len(times), bool))
    logs[PREDICTIONS] = [
        json.dumps({**json.loads(body), "version": "1" if at < 4000 else "2"}).encode()
        for at, body in zip(times, logs[PREDICTIONS], strict=True)
    ]
    run = Seen(WORLD, logs).take_all()
    assert len(run.state.versions) == 2
    assert run.found(Kind.VOLUME) == run.notices == []


def test_a_dead_label_feed_is_told_before_the_coverage_is_known():
    """It is told when two hundred labels are due and none came, by one verdict."""
    run = run_of(poisson(8000, 4), change=lambda _, t, d, labelled: (d, labelled & (t + d < 5000)))
    first = run.found(Kind.LABELS)[0]
    assert (first.identity.subject, first.verdict.reason, first.decisive) == ("label feed", "silent", True)
    assert 5200 < first.at / 1e9 - START < 5700
    assert first.verdict.since / 1e9 - START == pytest.approx(5000, abs=30)


def test_fewer_labels_are_told_by_the_time_of_the_prediction():
    """The share of labelled predictions falls from 0.9 to 0.6 with those made after 5000 s."""
    run = run_of(
        poisson(9000, 5), change=lambda r, t, d, labelled: (d, labelled & ((t < 5000) | (r.random(len(t)) < 0.67)))
    )
    assert {e.identity.subject for e in run.found(Kind.LABELS)} == {"label coverage"}
    fired = next(n for n in run.notices if n.identity.kind is Kind.LABELS)
    assert fired.trouble.latest.statistic == pytest.approx(0.6, abs=0.08)
    assert fired.trouble.since / 1e9 - START == pytest.approx(5000, abs=120)


@pytest.mark.parametrize(("factor", "told"), [(1.8, {"label delay"}), (0.5, set())])
def test_labels_that_come_later_are_told_and_sooner_ones_are_not(factor, told):
    """Labels of predictions after 5000 s take so many times as long."""
    run = run_of(poisson(9000, 6), change=lambda _, t, d, labelled: (np.where(t < 5000, d, factor * d), labelled))
    assert {e.identity.subject for e in run.found(Kind.LABELS)} - {"label coverage"} == told


@pytest.mark.parametrize("seed", range(3))
def test_cutting_and_restarts_change_nothing_of_the_feeds(seed):
    """The same verdicts and the same bytes, with silences of both feeds and a fall, whatever the batches."""
    times = poisson(7000, seed)
    times = times[(times < 3600) | (times > 4700)]
    logs = stream(times, *late_for_some(np.random.default_rng(seed), times, np.full(len(times), 90.0), times < 6000))
    whole = Seen(WORLD, logs).take_all()
    cut = Seen(WORLD, logs).take_cut(np.random.default_rng(seed), restarts=0.1, largest=400)
    assert {e.verdict.reason for e in whole.evidence} >= {"silent", "small_effect"}
    assert cut.told == whole.told
    assert cut.parts() == whole.parts()
