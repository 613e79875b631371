"""What is usual at each time of the day or week: buckets, what windows are held against, numbers that lanes see."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.engine import seasons

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import seasonal_numbers
from anchorwatch.engine.baseline import Baseline, Rows, segments_of, summarise
from anchorwatch.engine.panes import Moment, Panes, Span, Window
from anchorwatch.engine.reference import Block, Column, Reference, token_of
from anchorwatch.engine.season import BUCKET_ROWS, merged, slots_of, within
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch.engine.watch import compile_watch
from anchorwatch.errors import ConfigurationError
from anchorwatch.settings.models import Model

WORDS = ("a", "b", "c")
SHOPS = ("x", "y", "z")
COLUMNS = [
    Column("amount", numeric=True, kind=Kind.DRIFT),
    Column("word", numeric=False, kind=Kind.DRIFT),
    Column("wrong", numeric=False, kind=Kind.ACCURACY),
]


def drawn(seed, n=6000, days=3):
    """Return times and columns of a stream whose place, words and errors follow the day."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 24 * days, n))
    day = np.sin(2 * np.pi * hours / 24)
    return {
        "time": seasons.START + (hours * seasons.HOUR).astype(np.int64),
        "amount": 2 * day + rng.normal(size=n),
        "fault": (rng.random(n) < 0.1 + 0.1 * day).astype(np.uint8),
        "word": ((rng.random(n) < 0.5 + 0.4 * day).astype(np.int32) + (rng.random(n) < 0.1)).astype(np.int32),
        "wrong": (rng.random(n) < 0.1 * np.exp(day)).astype(np.int32),
        "shop": rng.choice(3, n, p=[0.7, 0.25, 0.05]).astype(np.int32),
    }


def part(rows, cycle="day"):
    none = np.zeros(len(rows["time"]), np.uint8)
    table = Rows(
        rows["time"], np.zeros((len(none), 2), np.uint64), {"amount": (rows["amount"], rows["fault"])},
        {"word": (rows["word"], WORDS, none), "wrong": (rows["wrong"], (RIGHT, WRONG), none)},
    )  # fmt: skip
    return summarise(table, segments_of("shop", rows["shop"], SHOPS, 2, 100), cycle)


def block(rows):
    n = len(rows["time"])
    none = np.zeros(n, np.uint8)
    return Block(
        np.arange(n), rows["time"], np.zeros((n, 2), np.uint64), rows["amount"][None], rows["fault"][None],
        np.stack([rows["word"], rows["wrong"]]), np.stack([none, none]), (WORDS, (RIGHT, WRONG)),
        token_of(SHOPS)[rows["shop"]][None],
    )  # fmt: skip


BEFORE = drawn(1)
KNOWN = Reference.of("bl", part(BEFORE), COLUMNS, ["shop"])
SLOTS = slots_of("day", BEFORE["time"])


def window(chosen, group=0):
    """Return a window of these rows of the baseline, as panes count them."""
    rows = block({name: column[chosen] for name, column in BEFORE.items()})
    cells, groups = KNOWN.cells(rows), np.full(len(rows), group)
    sums = KNOWN.sums(KNOWN.values(cells, rows, [groups]))[0]
    panes = Panes.fresh(len(KNOWN.groups), KNOWN.width)
    return panes.add(Span(len(rows), None, 1), group, KNOWN.counted(cells, rows), rows.time, rows.at, sums)[0]


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis asks for naive ones
def test_a_slot_is_the_half_hour_of_the_day_or_week_in_utc(at):
    at = at.replace(tzinfo=UTC)
    time = np.array([round(at.timestamp()) * 10**9])
    at = datetime.fromtimestamp(int(time[0]) // 10**9, UTC)
    half = at.hour * 2 + at.minute // 30
    assert slots_of("day", time).tolist() == [half]
    assert slots_of("week", time).tolist() == [at.weekday() * 48 + half]


@given(st.lists(st.integers(0, 500), min_size=48, max_size=48), st.integers(0, 9))
def test_small_slots_are_joined_with_neighbours_until_each_bucket_holds_enough(rows, seed):
    """A bucket of a day is an unbroken stretch of it, midnight included; only all rows together may be too few."""
    rng, slots = np.random.default_rng(seed), np.repeat(np.arange(48), rows)
    totals = np.stack([within(rng.normal(size=len(slots)), slots, 48) for _ in range(3)], axis=1)
    bucket = merged("day", np.array(rows), totals)
    sizes = np.bincount(bucket, weights=rows)
    assert (sizes >= BUCKET_ROWS).all() or len(sizes) == 1
    assert bucket[np.unique(bucket, return_index=True)[1]].tolist() == list(range(len(sizes)))
    for i in range(len(sizes)):
        mine = bucket == i
        assert mine.all() or np.sum(mine & ~np.roll(mine, 1)) == 1


def test_slots_that_are_alike_share_a_bucket_and_a_step_keeps_its_place():
    """Five days of one kind and two of another: times of the day join across days, not across the step at noon."""
    rng = np.random.default_rng(0)
    slots = np.repeat(np.arange(336), 60)
    kind = np.where(slots // 48 >= 5, 4.0, 0.0) + 2.0 * (slots % 48 >= 24)
    bucket = merged("week", np.bincount(slots), within(kind + rng.normal(size=len(slots)), slots, 336)[:, None])
    for i in range(bucket.max() + 1):
        assert len(np.unique(kind[np.isin(slots, np.flatnonzero(bucket == i))])) == 1
    assert np.bincount(bucket).max() > 4


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_an_error_stands_for_has_the_same_mean_at_every_time_and_varies_no_more(rate, usual):
    right, wrong = (float(x[0]) for x in seasonal_numbers.adjusted(np.array([rate]), usual))
    assert 0.0 <= right <= wrong <= 1.0 + 1e-12
    mean = (1 - rate) * right + rate * wrong
    assert mean == pytest.approx(usual)
    assert (1 - rate) * right**2 + rate * wrong**2 - mean**2 <= usual * (1 - usual) + 1e-9


@pytest.mark.parametrize("follows", ["nothing", "place", "spread"])
def test_a_column_without_a_cycle_keeps_its_plain_ranks_and_one_with_a_cycle_gets_those_of_its_time(follows):
    rng = np.random.default_rng(0)
    bucket, noise = rng.integers(0, 20, 10_000), rng.normal(size=10_000)
    number = {"nothing": noise, "place": noise + bucket / 4, "spread": noise * (1 + bucket / 4)}[follows]
    counts = np.zeros((20, 100), np.int64)
    np.add.at(counts, (bucket, np.clip(np.rint(4 * number) + 50, 0, 99).astype(int)), 1)
    table, own = seasonal_numbers.ranks(counts)
    n = counts.sum(axis=1)
    means = (table * counts).sum(axis=1) / n
    spreads = ((table - 0.5) ** 2 * counts).sum(axis=1) / n
    if follows == "nothing":
        assert own < 0.3
        assert table == pytest.approx(np.tile(seasonal_numbers.ranks(counts.sum(axis=0)[None])[0], (20, 1)), abs=0.05)
    else:
        assert own > 0.9
        assert means == pytest.approx(np.full(20, 0.5), abs=0.02)
        assert spreads == pytest.approx(np.full(20, 1 / 12), abs=0.01)


def test_lanes_see_numbers_whose_mean_is_the_same_at_all_times_of_new_days():
    """Features and errors, as a whole and in a segment; without a season they differ by a quarter and more."""
    rows = drawn(2, 30_000, 10)
    known, plain = KNOWN, Reference.of("bl", part(BEFORE, None), COLUMNS, ["shop"])
    quarter = slots_of("day", rows["time"]) // 12
    for reference, least, most in ((known, 0.0, 0.06), (plain, 0.07, 1.0)):
        new = block(rows)
        members = reference.members(new)
        for k, values in enumerate(reference.values(reference.cells(new), new, members)):
            groups = members[k]
            for column in range(3):
                mine = (groups == groups.max() - 1 + (k == 0)) & ~np.isnan(values[column])
                means = [values[column][mine & (quarter == q)].mean() for q in range(4)]
                assert least <= max(means) - min(means) <= most


def test_a_window_of_one_bucket_is_held_against_exactly_the_rows_of_that_bucket():
    for group, member in ((0, np.ones(len(SLOTS), bool)), (1, BEFORE["shop"] == 0)):
        bucket = KNOWN.season.bucket[SLOTS]
        for i in range(0, bucket.max() + 1, 5):
            chosen = member & (bucket == i)
            seen = window(chosen, group)
            inner = KNOWN.season.width
            assert KNOWN.usual([seen])[0][:inner].tolist() == seen.counts[:inner].tolist()


@given(st.lists(st.integers(0, 47), min_size=1, max_size=6, unique=True), st.integers(0, 3))
def test_a_window_is_held_against_the_baseline_in_its_own_mixture_of_times(slots, group):
    """By a loop over buckets: shares of each cell, and as many rows as tell as much."""
    counts = np.zeros(KNOWN.width, np.int64)
    counts[KNOWN.season.width + np.array(slots)] = np.arange(1, len(slots) + 1) * 10
    usual = KNOWN.usual([Window(group, Moment(0, 1, 0), 0, counts, int(counts.sum()))])[0]
    shop = {"shop=x": 0, "shop=y": 1}.get(KNOWN.groups[group])
    member = {"": True, "shop=other": BEFORE["shop"] == 2}.get(KNOWN.groups[group], BEFORE["shop"] == shop)
    bucket, expected, doubt = KNOWN.season.bucket, np.zeros(3), 0.0
    for i in set(bucket[slots].tolist()):
        share = counts[KNOWN.season.width :][:48][bucket == i].sum() / counts.sum()
        mine = member & (bucket[SLOTS] == i)
        expected += share * np.bincount(BEFORE["word"][mine], minlength=3) / mine.sum()
        doubt += share**2 / mine.sum()
    cells = [KNOWN.starts[1] + KNOWN.profiles[1].words.index(word) for word in WORDS]
    assert usual[cells].sum() == pytest.approx(1 / doubt, abs=1.001)
    assert usual[cells] / usual[cells].sum() == pytest.approx(expected, abs=2 * doubt)


@pytest.mark.parametrize("group", [0, 1])
def test_the_mean_of_a_window_is_that_of_the_numbers_its_lane_saw(group):
    chosen = np.arange(700, 1500)
    rows = block({name: column[chosen] for name, column in BEFORE.items()})
    values = KNOWN.values(KNOWN.cells(rows), rows, [np.full(len(rows), group)])[0]
    seen = window(chosen, group)
    assert KNOWN.mean_of(seen.counts) == pytest.approx(np.nanmean(values, axis=1), abs=1e-6)
    assert KNOWN.valid(seen.counts).tolist() == (~np.isnan(values)).sum(axis=1).tolist()


def test_means_and_variances_are_those_of_the_numbers_of_the_baseline():
    """So what a lane is held against is what it would have seen of the baseline itself."""
    rows = block(BEFORE)
    members = KNOWN.members(rows)
    for k, values in enumerate(KNOWN.values(KNOWN.cells(rows), rows, members)):
        for group in np.unique(members[k]):
            mine = values[:, members[k] == group]
            assert KNOWN.means[group] == pytest.approx(np.nanmean(mine, axis=1), abs=1e-6)
            assert KNOWN.variances[group] == pytest.approx(np.nanvar(mine, axis=1), abs=1e-6)
    wrong = BEFORE["wrong"].mean()
    assert KNOWN.means[0] == pytest.approx([0.5, 0.5, wrong], abs=0.005)


def test_the_memory_of_a_column_is_that_of_its_numbers_not_of_the_day():
    """Independent values within a strong day: nearly 1, at most doubled for the doubt of a single cycle."""
    seasonal_, plain = part(BEFORE).columns["amount"], part(BEFORE, None).columns["amount"]
    assert plain["inflation"] > 10
    assert seasonal_["inflation"] < 1.6


def test_a_baseline_with_a_season_travels_as_json_and_one_without_does_not_speak_of_it():
    for cycle in ("day", "week", None):
        baseline = Baseline("m", "1", part(BEFORE, cycle), None, "", "0", "c")
        again = Baseline.from_json(baseline.to_json())
        assert again.id == baseline.id
        assert again.cycle == cycle
        assert (b'"season"' in baseline.to_json()) == (b'"buckets"' in baseline.to_json()) == (cycle is not None)


def test_a_baseline_of_another_season_than_the_configuration_says_is_refused():
    stream = {
        "topic": "t",
        "id": "id",
        "features": {"amount": "numeric"},
        "prediction": {"kind": "binary", "score": "s"},
    }
    baseline = Baseline("m", "1", part(BEFORE), None, "", "0", "c")
    for season in (None, "week"):
        model = Model.model_validate({"predictions": stream, "baseline": {"name": "b", "season": season}})
        with pytest.raises(ConfigurationError, match="was built with season: day"):
            compile_watch("/a", "m", model, baseline, "0")
    model = Model.model_validate({"predictions": stream, "baseline": {"name": "b", "season": "day"}})
    assert compile_watch("/a", "m", model, baseline, "0").cycle == "day"


def test_a_column_that_the_baseline_knows_by_another_kind_is_as_one_it_does_not_know():
    """What was a number and is a word now has nothing to be held against, at any time; the others have."""
    columns = [COLUMNS[1], Column("amount", numeric=False, kind=Kind.DRIFT)]
    known = Reference.of("bl", part(BEFORE), columns, [])
    counts = np.zeros(known.width, np.int64)
    counts[known.season.width + 20] = 100
    usual = known.usual([Window(0, Moment(0, 1, 0), 0, counts, 100)])
    assert known.valid(usual)[0, 0] >= BUCKET_ROWS
    assert known.valid(usual)[0, 1] == 0
    assert np.isnan(known.means[0, 1])
