"""The default configuration over whole streams: silence where nothing changes, the right alert where something does."""

import numpy as np
import pytest

from anchorwatch.decide.evidence import DEVIATIONS, POINTS, SPREAD, VARIATION, Kind
from anchorwatch.engine.dependence import inflation
from anchorwatch.engine.state import fresh
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events import classes
from anchorwatch.events.columns import Batch, Fault, Labels, Predictions
from anchorwatch.events.identity import identify
from anchorwatch.settings.models import Model
from anchorwatch_detectors import synth
from anchorwatch_detectors.base import Direction

N, FIRST, CHANGE = 60_000, 10_000, 30_000
SECOND = 10**9
START = 1_777_622_400 * SECOND
ANSWERS = (classes.NEGATIVE, classes.POSITIVE)
COUNTRIES = ("CH", "DE", "FR", "IT", "LI", "XX")
FEATURES = ("amount", "income", "load")
MODEL = Model.model_validate(
    {
        "predictions": {
            "topic": "predictions", "id": "id", "time": "at", "prediction": {"kind": "binary", "score": "score"},
            "features": {**dict.fromkeys(FEATURES, "numeric"), "country": "category"},
        },
        "labels": {"topic": "labels", "id": "id", "time": "at", "value": "truth", "wait": "1h"},
        "segments": ["country"],
        "baseline": {"first": FIRST},
    }
)  # fmt: skip


def columns(seed, n=N):
    """Return a stationary stream: independent, skewed and autocorrelated features, one in twenty answers wrong."""
    rng = np.random.default_rng(seed)
    return {
        "amount": synth.normal(n, seed),
        "income": synth.lognormal(n, seed + 1000),
        "load": synth.autoregressive(n, seed + 2000, 0.7),
        "score": rng.beta(2, 2, n),
        "country": rng.choice(5, n, p=[0.4, 0.3, 0.15, 0.1, 0.05]),
        "wrong": synth.bernoulli(n, seed + 3000, 0.05),
        "fault": np.zeros((4, n), np.uint8),
    }


def notices(stream):
    """Run the stream in two batches; return what is told."""
    watch = compile_watch("/test", "credit", MODEL, None, "test")
    n = len(stream["amount"])
    time, ident = START + np.arange(n) * SECOND, identify([f"p{i}" for i in range(n)])
    said = (stream["score"] >= 0.5).astype(np.int32)
    true = np.where(stream["wrong"] > 0, 1 - said, said).astype(np.int32)
    numeric = np.where(stream["fault"] > 0, np.nan, np.stack([stream[name] for name in (*FEATURES, "score")]))
    partitions, state, told = ("labels/0", "predictions/0"), fresh(watch), []
    for rows in (slice(0, n // 2), slice(n // 2, n)):
        size = len(time[rows])
        predictions = Predictions(
            time=time[rows], ident=ident[rows], partition=np.ones(size, np.int32), offset=np.arange(size),
            version=np.zeros(size, np.int32), versions=("1",),
            numeric=numeric[:, rows], numeric_fault=stream["fault"][:, rows],
            category=np.stack([stream["country"][rows], said[rows]]).astype(np.int32),
            category_fault=np.zeros((2, size), np.uint8), vocabulary=(COUNTRIES, ANSWERS),
            token=classes.tokens(ANSWERS, said[rows]),
        )  # fmt: skip
        labels = Labels(
            time=time[rows] + 1, ident=ident[rows], partition=np.zeros(size, np.int32), offset=np.arange(size),
            number=np.full(size, np.nan), token=classes.tokens(ANSWERS, true[rows]),
        )  # fmt: skip
        idle = frozenset(partitions if rows.stop == n else ())
        state, outcome = step(watch, state, Batch(partitions, predictions, labels, idle))
        told += outcome.decision.notices
    return told


def alerts(stream, n=45_000):
    """Return (kind, subject, segment) of what fires, and the first notice of each of them."""
    cut = {name: values[..., :n] for name, values in stream.items()}
    first = {}
    for notice in notices(cut):
        who = notice.identity
        first.setdefault((who.kind, who.subject, who.segment), notice)
    return first


def row_of(time):
    return (time - START) // SECOND


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_stream_that_does_not_change_raises_no_alert(seed):
    """50,000 events after the baseline, a quarter of them with a memory, in six segments."""
    assert notices(columns(seed)) == []


def test_successive_values_that_hang_together_are_seen_in_the_baseline():
    """Their mean varies more: by a known factor for an autoregression, by none for independent values."""
    for memory, least, most in ((0.0, 1.0, 1.0), (0.7, 4.5, 10.0), (0.9, 13.0, 35.0)):
        values = synth.autoregressive(10_000, 5, memory)
        ranks = np.argsort(np.argsort(values)) / 10_000
        assert least <= inflation(ranks) <= most
    assert inflation(np.full(10_000, 0.5)) == 1.0
    assert inflation(np.array([0.2, 0.7, 0.2, np.nan])) == 1.0


def test_a_shift_of_half_a_standard_deviation_is_told_with_its_beginning():
    stream = columns(5)
    stream["amount"][CHANGE:] += 0.5
    found = alerts(stream)
    assert {(kind, subject) for kind, subject, _ in found} == {(Kind.DRIFT, "amount")}
    notice = found[Kind.DRIFT, "amount", ""]
    assert notice.identity.monitor == "shiryaev_roberts_ranks"
    assert CHANGE < row_of(notice.at) < CHANGE + 1000
    assert abs(row_of(notice.trouble.since) - CHANGE) < 100
    assert notice.trouble.latest.effect_unit == DEVIATIONS
    assert 0.3 < notice.trouble.latest.effect < 0.8
    assert row_of(notice.trouble.since_low) <= CHANGE <= row_of(notice.trouble.since_high)


def test_a_feature_that_spreads_about_the_same_middle_is_told_as_such():
    stream = columns(5)
    stream["amount"][CHANGE:] *= 1.6
    found = alerts(stream)
    notice = found[Kind.DRIFT, "amount", ""]
    assert CHANGE < row_of(notice.at) < CHANGE + 1000
    assert (notice.trouble.latest.reason, notice.trouble.latest.effect_unit) == ("spread", SPREAD)
    assert 0.05 < notice.trouble.latest.effect < 0.5
    assert row_of(notice.trouble.since_low) <= CHANGE <= row_of(notice.trouble.since_high)


def test_categories_that_trade_places_are_told_by_the_share_that_moved():
    """A fifth of all traffic goes from the first country to the fifth."""
    stream = columns(5)
    moved = np.random.default_rng(1).random(N - CHANGE) < 0.5
    stream["country"][CHANGE:][moved & (stream["country"][CHANGE:] == 0)] = 4
    found = alerts(stream)
    assert {(kind, subject) for kind, subject, _ in found} == {(Kind.DRIFT, "country")}
    notice = found[Kind.DRIFT, "country", ""]
    assert CHANGE < row_of(notice.at) < CHANGE + 1000
    assert (notice.trouble.latest.reason, notice.trouble.latest.effect_unit) == ("changed", VARIATION)
    assert notice.trouble.latest.effect == pytest.approx(0.2, abs=0.07)


def test_errors_that_double_are_worse_and_told_with_their_beginning():
    stream = columns(6)
    stream["wrong"][CHANGE:] = synth.bernoulli(N - CHANGE, 9, 0.10)
    found = alerts(stream)
    assert {kind for kind, _, _ in found} == {Kind.ACCURACY}
    notice = found[Kind.ACCURACY, "error rate", ""]
    assert CHANGE < row_of(notice.at) < CHANGE + 3000
    assert abs(row_of(notice.trouble.since) - CHANGE) < 500
    assert row_of(notice.trouble.since_low) <= CHANGE <= row_of(notice.trouble.since_high)
    assert notice.trouble.latest.direction is Direction.WORSE
    assert notice.trouble.latest.effect_unit == POINTS
    assert 3 < notice.trouble.latest.effect < 8
    assert notice.severity == "critical"


def test_errors_that_halve_page_nobody():
    stream = columns(6)
    stream["wrong"][CHANGE:] = synth.bernoulli(N - CHANGE, 9, 0.01)
    assert alerts(stream) == {}


@pytest.mark.parametrize("fault", [Fault.ABSENT, Fault.WRONG_TYPE])
def test_a_renamed_or_retyped_column_breaks_within_its_run_and_is_told_once(fault):
    """Fifty rows; what else it brings about, such as drift of what is missing, is not told besides."""
    stream = columns(7)
    stream["fault"][1, CHANGE:] = fault
    found = alerts(stream)
    assert (Kind.SCHEMA, "income", "") in found
    assert {subject.split()[0] for _, subject, _ in found} == {"income"}
    notice = found[Kind.SCHEMA, "income", ""]
    assert row_of(notice.at) == CHANGE + 49
    assert row_of(notice.trouble.since) == CHANGE
    assert notice.severity == "critical"
    assert len(found) == 1


def test_a_new_category_of_a_fifth_of_the_traffic_is_told_as_unseen():
    stream = columns(8)
    new = np.random.default_rng(1).random(N - CHANGE) < 0.2
    stream["country"][CHANGE:][new] = COUNTRIES.index("XX")
    found = alerts(stream)
    unseen = found[Kind.QUALITY, "country unseen", ""]
    assert CHANGE < row_of(unseen.at) <= CHANGE + 2000
    assert 15 < unseen.trouble.latest.effect < 25
    assert {subject for _, subject, _ in found} <= {"country", "country unseen"}
