"""What the sentence says at three in the morning."""

import pytest

from anchorwatch.decide.alerts import AlertPolicy, Situation, advance, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.instants import lasting, rfc3339
from anchorwatch.decide.summary import summary_of

HOUR = 3600 * 10**9
POLICY = AlertPolicy("warning", needs=1, of=1, keep_firing_for=0, cooldown=0, repeat=24 * HOUR)

SENTENCES = [
    (
        {"kind": Kind.ACCURACY, "monitor": "adwin"},
        "drift!",
        "errors",
        (
            "fraud version 14 has become less accurate: errors worse than the baseline by 0.0712 "
            "since about 2026-05-01 08:03 UTC, seen by adwin over 5,120 values."
        ),
    ),
    (
        {"kind": Kind.DRIFT, "monitor": "kolmogorov_smirnov", "segment": "country=DE"},
        "changed",
        "amount",
        (
            "fraud version 14 where country=DE gets different input: amount away from the baseline by 0.0712 "
            "since about 2026-05-01 08:03 UTC, seen by kolmogorov_smirnov over 5,120 values."
        ),
    ),
    (
        {"kind": Kind.PREDICTION, "monitor": "psi"},
        "changed",
        "prediction:score",
        (
            "fraud version 14 predicts differently: prediction:score away from the baseline by 0.0712 "
            "since about 2026-05-01 08:03 UTC, seen by psi over 5,120 values."
        ),
    ),
    (
        {"kind": Kind.QUALITY, "monitor": "share"},
        "drift",
        "amount missing",
        (
            "fraud version 14 gets worse input data: amount missing more often than in the baseline by 0.0712 "
            "since about 2026-05-01 08:03 UTC, seen by share over 5,120 values."
        ),
    ),
    (
        {"kind": Kind.SCHEMA, "monitor": "run"},
        "drift!",
        "amount",
        (
            "fraud version 14 has lost a column of its input: no usable value of amount "
            "since about 2026-05-01 08:03 UTC, seen by run over 5,120 values."
        ),
    ),
    (
        {"kind": Kind.LATENCY, "monitor": "wasserstein", "version": ""},
        "drift",
        "latency",
        (
            "fraud has become slower: latency worse than the baseline by 0.0712 "
            "since about 2026-05-01 08:03 UTC, seen by wasserstein over 5,120 values."
        ),
    ),
    (
        {"kind": Kind.LATENCY, "monitor": "psi"},
        "changed",
        "latency",
        (
            "fraud version 14 answers at a different speed: latency away from the baseline by 0.0712 "
            "since about 2026-05-01 08:03 UTC, seen by psi over 5,120 values."
        ),
    ),
]


@pytest.fixture
def fire(identity, evidence):
    def fired(minute, word, state=None, subject="errors", effect=-0.0712, **who):
        each = evidence(minute, word, identity(subject, **who), since=3, effect=effect)
        return advance(POLICY, state, each, Situation(1, 1))

    return fired


@pytest.mark.parametrize(("who", "word", "subject", "sentence"), SENTENCES, ids=[s[0]["kind"] for s in SENTENCES])
def test_it_says_what_happened_to_what_how_bad_since_when_and_on_how_much(who, word, subject, sentence, fire):
    assert summary_of(fire(10, word, subject=subject, **who).notice) == sentence


def test_a_size_that_is_unknown_is_not_mentioned(fire):
    assert "errors worse than the baseline since" in summary_of(fire(10, "drift!", effect=float("nan")).notice)


def test_a_repetition_says_how_long_it_has_been_going_on(fire):
    state = fire(10, "drift!").state
    repeated = fire(10 + 25 * 60 + 7, "drift!", state).notice
    assert summary_of(repeated).startswith("Still firing after 1d 1h: fraud version 14 has become less accurate: ")


def test_a_resolution_says_what_is_over_and_how_long_it_took(fire):
    state = fire(10, "drift!").state
    assert summary_of(fire(140, "stable!", state).notice) == (
        "Resolved after 2h 10m: fraud version 14, errors worse than the baseline by 0.0712 "
        "since about 2026-05-01 08:03 UTC."
    )


def test_an_alert_of_a_replaced_version_says_that_it_was_replaced(fire, at):
    state = fire(10, "drift!").state
    assert summary_of(supersede(state, at(55))) == (
        "Closed after 45m, another version took over: fraud version 14, errors worse than the baseline by 0.0712 "
        "since about 2026-05-01 08:03 UTC."
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.4, "0s"), (59, "59s"), (60, "1m"), (3599, "59m 59s"), (3600, "1h"), (86_400, "1d"),
     (86_400 + 60, "1d"), (90_000, "1d 1h"), (400 * 86_400, "400d"), (-5, "0s")],
)  # fmt: skip
def test_a_duration_is_told_in_its_two_largest_units(seconds, text):
    assert lasting(round(seconds * 10**9)) == text


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_777_622_400_123_456_789, "2026-05-01T08:00:00.123456Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_told_in_utc_to_the_microsecond(ns, text):
    assert rfc3339(ns) == text
