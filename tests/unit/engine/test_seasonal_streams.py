"""Days are not drift: a stream that is the same every day is quiet with `season: day`, and a real change is told."""

import numpy as np
import pytest
from tests.unit.engine import seasons

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.state import from_parts, to_parts
from anchorwatch.engine.watch import compile_watch

NOON = 4.5 * 24


@pytest.mark.parametrize("seed", range(8))
def test_a_stream_that_is_the_same_every_day_is_quiet(seed):
    """No alert of any window test, share or sequential detector, as a whole and in any segment."""
    _, notices, evidence = seasons.run(seasons.stream(seed), seasons.model("day"))
    assert seasons.alerts(notices) == []
    judged = {e.identity.subject for e in evidence if str(e.verdict.level) == "stable"}
    assert {*seasons.FEATURES, "country", "error rate", "items missing", "prediction:score"} <= judged


def test_without_a_season_the_same_stream_gives_false_alarms_and_hides_a_real_change():
    """The spread of `load` follows the day and is told of; a shift of `amount` is less than its daily swing."""
    stream = seasons.stream(0)
    stream["amount"] += stream["hours"] >= NOON
    told = {a.identity.subject for a in seasons.alerts(seasons.run(stream, seasons.model(None))[1])}
    assert "load" in told
    assert "amount" not in told


def test_weekends_that_differ_are_quiet_with_a_week_and_not_with_a_day():
    """On weekends noon is like midnight; a week of rows makes the baseline, and the next weekend is watched."""
    stream = seasons.stream(0, 32_000, weekend=-0.8)
    assert seasons.alerts(seasons.run(stream, seasons.model("week", 15_000))[1]) == []
    told = seasons.alerts(seasons.run(stream, seasons.model("day", 15_000))[1])
    assert "load" in {a.identity.subject for a in told}


@pytest.mark.parametrize("seed", range(3))
def test_a_shift_of_one_feature_at_noon_is_told_of_that_feature_alone(seed):
    """By a standard deviation of its noise, half of what a day moves it by: at once, with the time it began."""
    stream = seasons.stream(seed)
    stream["amount"] += stream["hours"] >= NOON
    told = seasons.alerts(seasons.run(stream, seasons.model("day"))[1])
    assert {a.identity.subject for a in told} == {"amount"}
    assert {a.identity.monitor for a in told} >= {"kolmogorov_smirnov"}
    at = [(a.at - seasons.START) / seasons.HOUR for a in told]
    assert NOON < min(at) < NOON + 4


@pytest.mark.parametrize("seed", range(3))
def test_a_rise_of_the_errors_at_noon_is_told_in_points_of_the_error_rate(seed):
    """Held against the errors usual at that time, not against the day's."""
    stream = seasons.stream(seed)
    extra = np.random.default_rng(seed + 50).random(len(stream["hours"])) < 0.15
    stream["wrong"] |= extra & (stream["hours"] >= NOON)
    told = seasons.alerts(seasons.run(stream, seasons.model("day"))[1])
    assert {a.identity.kind for a in told} == {Kind.ACCURACY}
    first = min(told, key=lambda a: a.at)
    assert NOON < (first.at - seasons.START) / seasons.HOUR < NOON + 6
    shares = [a.trouble.latest.effect for a in told if a.identity.monitor == "share" and not a.identity.segment]
    assert shares == [pytest.approx(14, abs=5)]


def test_values_that_go_missing_more_than_usual_at_that_time_are_told():
    """A third missing is usual at midnight and not at noon."""
    stream = seasons.stream(1)
    late = (stream["hours"] >= NOON) & (np.random.default_rng(2).random(len(stream["hours"])) < 0.3)
    stream["fault"][2][late] = seasons.Fault.NULL
    told = seasons.alerts(seasons.run(stream, seasons.model("day"))[1])
    assert {a.identity.subject for a in told} == {"items missing"}


def test_cutting_a_seasonal_stream_and_restarting_it_change_nothing():
    """One batch, many batches, and state that went through bytes: same notices, same evidence, same bytes."""
    stream, settings = seasons.stream(3, 9000), seasons.model("day", 4000)
    stream["amount"] += 0.8 * (stream["hours"] >= 60)
    whole = seasons.run(stream, settings)
    cuts = np.unique(np.random.default_rng(5).integers(1, 9000, 60)).tolist()
    pieces = seasons.run(stream, settings, cuts=cuts)
    assert list(map(repr, pieces[2])) == list(map(repr, whole[2]))
    assert pieces[1] == whole[1] != []
    watch = compile_watch("/test", "credit", settings, None, "test")
    parts = to_parts(watch, whole[0])
    assert to_parts(watch, pieces[0]) == parts
    assert to_parts(watch, from_parts(watch, parts)) == parts


def test_gathering_goes_on_until_the_rows_cover_a_whole_day():
    """A baseline of a morning would say nothing of the night."""
    stream = seasons.stream(4, 6000)
    state, _, _ = seasons.run(stream, seasons.model("day", 500), cuts=[300, 700, 1500, 2500])
    part = state.versions[0].baseline.predictions
    assert part.rows > 2000
    assert 24 * seasons.HOUR <= part.end - part.start < 24.2 * seasons.HOUR
    plain, _, _ = seasons.run(stream, seasons.model(None, 500))
    assert plain.versions[0].baseline.predictions.rows == 500
