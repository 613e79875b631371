"""What the sentence says at three in the morning."""

import pytest

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.alerts import Situation, advance, supersede
from anchorwatch.decide.evidence import DEVIATIONS, OWN, POINTS, SPREAD, VARIATION, Kind
from anchorwatch.decide.instants import lasting, rfc3339
from anchorwatch.decide.summary import summary_of

HOUR = 3600 * 10**9
POLICY = AlertPolicy("warning", needs=1, of=1, keep_firing_for=0, cooldown=0, repeat=24 * HOUR)

SENTENCES = [
    (
        {"kind": Kind.VOLUME, "monitor": "rate", "subject": "volume"},
        {"word": "drift!", "reason": "fewer", "statistic": 0.3, "effect": -70.0, "effect_unit": POINTS},
        (
            "fraud version 14 gets fewer requests since about 2026-05-01 08:03 UTC: volume 30.0 %, "
            "100.0 % in the baseline (rate over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.VOLUME, "monitor": "rate", "subject": "volume"},
        {"word": "drift!", "reason": "silent", "statistic": 0.0, "effect": -100.0, "effect_unit": POINTS},
        (
            "fraud version 14 gets fewer requests since about 2026-05-01 08:03 UTC: no prediction came any more "
            "(rate over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.LABELS, "monitor": "share", "subject": "label delay"},
        {"word": "drift!", "reason": "differs", "statistic": 0.8, "effect": 30.0, "effect_unit": POINTS},
        (
            "fraud version 14 gets its labels differently since about 2026-05-01 08:03 UTC: 80.0 % of the labels are "
            "late by the baseline's measure, 50.0 % in the baseline (share over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.ACCURACY, "monitor": "adwin", "subject": "error rate"},
        {"word": "drift!", "statistic": 0.298, "effect": 5.15, "effect_unit": POINTS},
        (
            "fraud version 14 has become less accurate since about 2026-05-01 08:03 UTC: error rate 29.8 %, "
            "24.6 % in the baseline (adwin over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.ACCURACY, "monitor": "non_inferiority", "subject": "roc_auc"},
        {
            "word": "drift!",
            "statistic": 0.7123,
            "effect": -0.052,
            "effect_unit": OWN,
            "low": 0.6904,
            "high": 0.7331,
            "coverage": 0.934,
        },
        (
            "fraud version 14 has become less accurate since about 2026-05-01 08:03 UTC: roc_auc 0.712 (0.69 to 0.733, "
            "93.4 % labelled), 0.764 in the baseline (non_inferiority over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.ACCURACY, "monitor": "non_inferiority", "subject": "mae"},
        {
            "word": "drift!",
            "statistic": 14_958.5,
            "effect": 13_959.0,
            "effect_unit": OWN,
            "low": 13_941.0,
            "high": 1_616_300.0,
            "coverage": 0.9,
        },
        (
            "fraud version 14 has become less accurate since about 2026-05-01 08:03 UTC: mae 14,958 (13,941 to "
            "1,616,300, 90.0 % labelled), 1,000 in the baseline (non_inferiority over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.ACCURACY, "monitor": "page_hinkley", "subject": "error size"},
        {"word": "drift!", "reason": "changed", "statistic": 0.63, "effect": 0.47, "effect_unit": DEVIATIONS},
        (
            "fraud version 14 has become less accurate since about 2026-05-01 08:03 UTC: error size on average 0.47 "
            "standard deviations above the baseline, at its percentile 63 (page_hinkley over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.DRIFT, "monitor": "adwin", "subject": "amount"},
        {"word": "changed!", "reason": "changed", "statistic": 0.38, "effect": -0.432, "effect_unit": DEVIATIONS},
        (
            "fraud version 14 gets different input since about 2026-05-01 08:03 UTC: amount on average 0.43 standard "
            "deviations below the baseline, at its percentile 38 (adwin over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.DRIFT, "monitor": "shiryaev_roberts_ranks", "subject": "amount"},
        {"word": "changed!", "reason": "spread", "statistic": 0.05, "effect": -0.225, "effect_unit": SPREAD},
        (
            "fraud version 14 gets different input since about 2026-05-01 08:03 UTC: amount spreads 22.5 % less than "
            "in the baseline (shiryaev_roberts_ranks over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.DRIFT, "monitor": "shiryaev_roberts_ranks", "subject": "country"},
        {"word": "changed!", "reason": "changed", "statistic": 0.48, "effect": 0.136, "effect_unit": VARIATION},
        (
            "fraud version 14 gets different input since about 2026-05-01 08:03 UTC: country has other values than in "
            "the baseline in 13.6 % of all cases (shiryaev_roberts_ranks over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.DRIFT, "monitor": "kolmogorov_smirnov", "subject": "amount", "segment": "country=DE"},
        {"word": "changed", "threshold": 0.1, "effect": -0.1594, "effect_unit": "Kolmogorov-Smirnov distance"},
        (
            "fraud version 14 where country=DE gets different input since about 2026-05-01 08:03 UTC: amount "
            "away from the baseline by 0.159, 0.1 is worth knowing (kolmogorov_smirnov over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.PREDICTION, "monitor": "psi", "subject": "prediction:score"},
        {"word": "changed", "threshold": 0.2, "effect": 0.31, "effect_unit": "PSI"},
        (
            "fraud version 14 predicts differently since about 2026-05-01 08:03 UTC: predicted score away "
            "from the baseline by 0.31, 0.2 is worth knowing (psi over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.QUALITY, "monitor": "share", "subject": "amount missing"},
        {"word": "drift", "statistic": 0.0712, "effect": 7.08, "effect_unit": POINTS},
        (
            "fraud version 14 gets worse input data since about 2026-05-01 08:03 UTC: amount missing in 7.1 "
            "% of its values, 0.04 % in the baseline (share over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.SCHEMA, "monitor": "run", "subject": "amount"},
        {"word": "drift!"},
        (
            "fraud version 14 has lost a column of its input since about 2026-05-01 08:03 UTC: no usable "
            "value of amount (run over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.LATENCY, "monitor": "wasserstein", "subject": "latency", "version": ""},
        {"word": "drift", "effect": 0.4, "effect_unit": DEVIATIONS},
        (
            "fraud has become slower since about 2026-05-01 08:03 UTC: latency away from the baseline by 0.4 "
            "(wasserstein over 5,120 values)."
        ),
    ),
    (
        {"kind": Kind.LATENCY, "monitor": "psi", "subject": "latency"},
        {"word": "changed", "effect": 0.4, "effect_unit": "PSI"},
        (
            "fraud version 14 answers at a different speed since about 2026-05-01 08:03 UTC: latency away "
            "from the baseline by 0.4 (psi over 5,120 values)."
        ),
    ),
]


@pytest.fixture
def fire(identity, evidence):
    def fired(minute, word, state=None, found=None, **who):
        found = {"statistic": 0.298, "effect": 5.15, "effect_unit": POINTS} | (found or {})
        each = evidence(minute, word, identity(**who), since=3, **found)
        return advance(POLICY, state, each, Situation(1, 1))

    return fired


@pytest.mark.parametrize(
    ("who", "found", "sentence"), SENTENCES, ids=[f"{s[0]['kind']} {s[0]['monitor']}" for s in SENTENCES]
)
def test_it_says_what_happened_to_what_how_bad_since_when_and_on_how_much(who, found, sentence, fire):
    found = dict(found)
    assert summary_of(fire(10, found.pop("word"), found=found, **who).notice) == sentence


@pytest.mark.parametrize("unknown", ["statistic", "effect"])
def test_a_size_that_is_unknown_is_not_mentioned(unknown, fire):
    sentence = summary_of(fire(10, "drift!", found={unknown: float("nan")}).notice)
    assert "UTC: error rate away from the baseline (adwin" in sentence


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (-1e-18, "0 %"), (0.000412, "0.041 %"), (0.00996, "1 %"), (0.01, "1.0 %"), (0.9996, "100.0 %")],
)
def test_a_rate_is_told_in_percent_however_small(share, text, fire):
    sentence = summary_of(fire(10, "drift!", found={"statistic": share, "effect": 100 * (share - 0.5)}).notice)
    assert f"error rate {text}, 50.0 % in the baseline" in sentence


def test_a_repetition_says_how_long_it_has_been_going_on(fire):
    state = fire(10, "drift!").state
    repeated = fire(10 + 25 * 60 + 7, "drift!", state).notice
    assert summary_of(repeated).startswith("Still firing after 1d 1h: fraud version 14 has become less accurate since ")


def test_a_resolution_says_what_is_over_and_how_long_it_took(fire):
    state = fire(10, "drift!").state
    assert summary_of(fire(140, "stable!", state).notice) == (
        "Resolved after 2h 10m: fraud version 14, since about 2026-05-01 08:03 UTC: "
        "error rate 29.8 %, 24.6 % in the baseline."
    )


def test_an_alert_of_a_replaced_version_says_that_it_was_replaced(fire, at):
    state = fire(10, "drift!").state
    assert summary_of(supersede(state, at(55))) == (
        "Closed after 45m, another version took over: fraud version 14, since about 2026-05-01 08:03 UTC: "
        "error rate 29.8 %, 24.6 % in the baseline."
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
