"""What matters most in an incident."""

import math

import pytest

from anchorwatch.decide.evidence import DEVIATIONS, POINTS, SPREAD, VARIATION, Kind
from anchorwatch.decide.findings import Finding, gathered
from anchorwatch.decide.ranking import Child, carried, features, moved, ranked, weight


@pytest.fixture
def finding(evidence):
    return lambda **changes: Finding.of_evidence(evidence(10, "drift!", **changes))


@pytest.fixture
def child(evidence, identity, at):
    """Return an alert: subject, effect in points, labels, and since when (10 minutes ago)."""

    def build(subject="error rate", effect=10.0, *, n=1000, since=0, severity="warning", started=10, **labels):
        found = Finding.of_evidence(
            evidence(10, "drift!", identity(subject, **labels), effect=effect, n=n, since=since)
        )
        return Child(identity(subject, **labels), severity, at(started), None, gathered(None, found))

    return build


@pytest.mark.parametrize(
    ("effect", "unit", "share"),
    [
        (11.0, POINTS, 0.11),
        (-11.0, POINTS, 0.11),
        (0.0, DEVIATIONS, 0.0),
        (2.0, DEVIATIONS, 0.6826894921370859),  # 2 Phi(1) - 1
        (-2.0, DEVIATIONS, 0.6826894921370859),
        (0.3, VARIATION, 0.3),
        (0.4, "Kolmogorov-Smirnov distance", 0.4),
        (7.0, "PSI", 1.0),
        (0.0, SPREAD, 0.0),
        (-1.0, SPREAD, 1.0),
        (math.nan, POINTS, 0.0),
    ],
)
def test_an_effect_is_the_share_of_values_that_moved_in_whatever_unit_it_is(finding, effect, unit, share):
    assert moved(finding(effect=effect, effect_unit=unit)) == pytest.approx(share)


@pytest.mark.parametrize("spread", [0.5, 2.0, -0.4])
def test_another_spread_moves_as_much_as_the_densities_differ(finding, spread):
    """Half the integral of the absolute difference of the two normal densities, by sums."""
    ratio, step = 1 + spread, 0.001
    grid = [i * step for i in range(-12_000, 12_001)]
    density = lambda x, s: math.exp(-x * x / (2 * s * s)) / (s * math.sqrt(2 * math.pi))  # noqa: E731
    expected = sum(abs(density(x, 1) - density(x, ratio)) for x in grid) * step / 2
    assert moved(finding(effect=spread, effect_unit=SPREAD)) == pytest.approx(expected, abs=1e-3)


def test_alerts_are_ranked_by_severity_then_by_what_moved_then_by_the_earliest(child):
    mild, loud = child("a", 30.0), child("b", 1.0, severity="critical")
    early, late = child("c", 5.0, started=1), child("d", 5.0, started=2)
    assert ranked([mild, late, early, loud], {}) == [loud, mild, early, late]


def test_importance_weighs_features_against_the_mean_of_those_given_and_nothing_else(child):
    importance = {"amount": 0.6, "hour": 0.2}
    amount, hour, other = (child(name, 10.0, kind=Kind.DRIFT) for name in ("amount", "hour", "other"))
    errors = child("amount", 10.0)
    weights = [weight(c, importance) for c in (amount, hour, other, errors)]
    assert weights == pytest.approx([0.15, 0.05, 0.1, 0.1])
    assert weight(amount, {}) == pytest.approx(0.1)
    assert weight(amount, {"hour": 0.0}) == pytest.approx(0.1)
    assert [f.name for f in features([hour, other, amount], importance)] == ["amount", "other", "hour"]


def test_a_feature_counts_as_the_heaviest_of_its_alerts_since_the_earliest(child, at):
    found = features(
        [
            child("amount", 10.0, kind=Kind.DRIFT, since=4),
            child("amount", 20.0, kind=Kind.DRIFT, since=6, monitor="psi"),
            child("error rate", 90.0),
        ],
        {},
    )
    assert [(f.name, f.weight, f.since) for f in found] == [("amount", pytest.approx(0.2), at(4))]


def test_a_segment_carries_its_share_of_the_excess_errors_however_long_each_was_counted(child):
    """All: 10 points of 1,000 in 10 minutes; DE: 40 points of 100 in 5 minutes, FR: 2 points of 500 in 10."""
    whole = child(effect=10.0, n=1000)
    german = child(effect=40.0, n=100, since=5, segment="country=DE")
    french = child(effect=2.0, n=500, segment="country=FR")
    told = carried([french, whole, german])
    assert [(c.segment, c.share, c.traffic) for c in told] == [
        ("country=DE", pytest.approx(0.8), pytest.approx(0.2)),
        ("country=FR", pytest.approx(0.1), pytest.approx(0.5)),
    ]


def test_a_segment_is_held_against_the_same_monitor_of_the_same_subject_and_accuracy_comes_first(child):
    drift = {"kind": Kind.DRIFT, "monitor": "psi"}
    told = carried(
        [
            child("amount", 10.0, **drift),
            child("amount", 9.0, segment="country=DE", **drift),
            child("amount", 5.0, segment="country=FR", **drift),
            child(effect=10.0),
            child(effect=6.0, segment="country=FR"),
            child(effect=9.0, segment="country=AT", monitor="other"),
        ]
    )
    assert [(c.segment, c.kind, round(c.share, 3)) for c in told] == [
        ("country=FR", Kind.ACCURACY, 0.6),
        ("country=DE", Kind.DRIFT, 0.9),
    ]


def test_no_segment_carries_more_than_all_or_anything_of_what_is_not_known(child):
    whole = child(effect=10.0)
    assert [c.share for c in carried([whole, child(effect=99.0, segment="a=1")])] == [1.0]
    assert carried([whole, child(effect=99.0, segment="a=1", since=10)]) == []
    assert carried([child(effect=math.nan), child(effect=9.0, segment="a=1")]) == []
