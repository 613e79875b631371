"""Evidence in one word, so that a test reads like the story it tells."""

import math

import pytest

from anchorwatch.decide.evidence import POINTS, Evidence, Identity, Kind
from anchorwatch_detectors.base import Direction, Level, Verdict

MINUTE = 60 * 10**9
START = 1_777_622_400 * 10**9  # 2026-05-01 08:00 UTC

WORDS = {
    "drift": (Level.DRIFT, Direction.WORSE),
    "changed": (Level.DRIFT, Direction.CHANGED),
    "better": (Level.DRIFT, Direction.BETTER),
    "stable": (Level.STABLE, Direction.CHANGED),
    "warning": (Level.WARNING, Direction.WORSE),
    "undetermined": (Level.UNDETERMINED, Direction.CHANGED),
}


def _identity(subject="error rate", **changes):
    usual = {"model": "fraud", "version": "14", "segment": "", "kind": Kind.ACCURACY, "monitor": "adwin"}
    return Identity(subject=subject, **(usual | changes))


def _evidence(minute, word, identity=None, *, since=None, labels=0, labels_since=0, rows=(0, 0), **changes):
    """Build evidence at a minute after the start; a word that ends in "!" is decisive; rows: so far, since then."""
    level, direction = WORDS[word.rstrip("!")]
    since = None if since is None else START + since * MINUTE
    usual = {
        "reason": "differs", "statistic": 0.31, "threshold": math.nan, "effect": 7.12, "effect_unit": POINTS, "n": 5120,
        "since_low": since and since - MINUTE, "since_high": since and since + 2 * MINUTE,
    }  # fmt: skip
    verdict = Verdict(level=level, direction=direction, since=since, **(usual | changes))
    return Evidence(
        at=START + round(minute * MINUTE),
        identity=identity or _identity(),
        verdict=verdict,
        baseline="bl-2026-04",
        decisive=word.endswith("!"),
        labelled=labels,
        labelled_since=labels_since,
        rows=rows[0],
        rows_since=rows[1],
    )


@pytest.fixture(scope="session")
def identity():
    return _identity


@pytest.fixture(scope="session")
def evidence():
    return _evidence


@pytest.fixture(scope="session")
def at():
    """Nanoseconds of a minute after the start."""
    return lambda minute: START + minute * MINUTE
