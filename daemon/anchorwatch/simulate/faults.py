"""Faults that can be planted in the traffic, as data."""

from __future__ import annotations

import enum
from typing import NamedTuple


class FaultKind(enum.StrEnum):
    """What happens to the traffic, from some event on and for good.

    AMOUNT_DRIFT
        People pay more: every amount is larger by a factor. What is fraud stays what it was.
    CONCEPT_DRIFT
        Fraudsters change their ways: the features look as before, the model is wrong more often.
    SCHEMA_BREAK
        A field is renamed by whoever feeds the model: `device_age` becomes `device_age_days`.
    NEW_VERSION
        A retrained version answers. It knows the new ways of fraud and reads the renamed field, which it logs under
        the name that its feature has.
    """

    AMOUNT_DRIFT = "amount_drift"
    CONCEPT_DRIFT = "concept_drift"
    SCHEMA_BREAK = "schema_break"
    NEW_VERSION = "new_version"


class Fault(NamedTuple):
    """A fault and the number of the first prediction, from 0, that shows it."""

    kind: FaultKind
    at_event: int
