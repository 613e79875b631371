"""Why an input became a dead letter or was passed over: closed sets, fit for a metric's label."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """Why an input could not be used."""

    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    ID_MISSING = "id_missing"
    ID_WRONG_TYPE = "id_wrong_type"
    TIME_MISSING = "time_missing"
    TIME_INVALID = "time_invalid"
    TIME_IN_FUTURE = "time_in_future"
    LABEL_MISSING = "label_missing"
    LABEL_WRONG_TYPE = "label_wrong_type"
    STATUS_UNKNOWN = "status_unknown"
    STATUS_VERSION_WRONG = "status_version_wrong"


class Skip(enum.StrEnum):
    """By which rule an input was passed over."""

    TOMBSTONE = "tombstone"
    WHERE = "where"
    OTHER_MODEL = "other_model"
