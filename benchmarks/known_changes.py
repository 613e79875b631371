"""Delay and false alarms of every detector of errors where the change is known, against the first 10,000 rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from benchmarks import clairvoyant
from benchmarks.contenders import contenders
from benchmarks.delay import waited
from benchmarks.known_errors import known_errors
from benchmarks.measurement import Measurement

from anchorwatch_detectors.usual import of_sample

if TYPE_CHECKING:
    from benchmarks.contenders import Contender
    from benchmarks.known_errors import Errors

    from anchorwatch_detectors.base import Floats

ROWS = 10_000
"""Rows of a baseline."""
RESAMPLES, FEW = 500, 50
"""Bootstrap resamples for the default, and for the others."""
LANES = 50
"""Resamples fed at once."""
LATE = 20_000
"""Values after which a change is missed."""


def measure() -> list[Measurement]:
    """Return delays on the rows as they came, and on bootstrap resamples of them."""
    found = []
    for errors in known_errors():
        for contender in contenders((errors.run_length,)):
            if contender.takes("errors"):
                found += [as_it_came(contender, errors), resampled(contender, errors)]
        print(errors.name, flush=True)
    return found


def as_it_came(contender: Contender, errors: Errors) -> Measurement:
    """Return the delay on the rows in their order."""
    values, rest = errors.values[np.newaxis], errors.change - ROWS
    state = contender.detector.start(1, 1, of_sample(values[:, :ROWS]))
    events = state.update(values[:, ROWS:]).event
    later = events[events >= rest]
    delay = float(later[0] - rest + 1) if len(later) else math.nan
    return told(contender, errors, ("as it came", len(events) - len(later)), np.array([[delay]]))


def resampled(contender: Contender, errors: Errors) -> Measurement:
    """Return the delay on rows drawn with replacement, before and after the change each from its own."""
    rng, false, rounds = np.random.default_rng(1), 0, []
    before, after = errors.values[: errors.change], errors.values[errors.change :]
    for _ in range(0, RESAMPLES if contender.is_default else FEW, LANES):
        quiet = rng.choice(before, (LANES, errors.change))
        state = contender.detector.start(1, LANES, of_sample(quiet[:, :ROWS]))
        false += len(state.update(quiet[:, ROWS:]).event)
        rounds.append(waited(state, lambda rng, shape: rng.choice(after, shape), rng, LATE))
    return told(contender, errors, ("resampled", false), np.array(rounds))


def told(contender: Contender, errors: Errors, how: tuple[str, int], each: Floats) -> Measurement:
    """Return delays beside the mean one of the clairvoyant CUSUM at the run length that a dial is set to."""
    before, after = errors.values[: errors.change].mean(), errors.values[errors.change :].mean()
    theirs = clairvoyant.delay(clairvoyant.of_errors(float(before), float(after)), errors.run_length)
    mean, (name, false) = float(each.mean()), how
    quiet = each.size * (errors.change - ROWS)
    against = {"name": "clairvoyant CUSUM", "value": round(theirs, 3), "false_alarms": false, "quiet": quiet}
    label = f"{contender.name}, {contender.setting}, {errors.name}, {name}"
    rounds = [[round(float(part.mean()), 3), round(theirs, 3)] for part in each]
    return Measurement(label, round(mean, 3), "values", against, round(theirs / mean, 4), rounds)
