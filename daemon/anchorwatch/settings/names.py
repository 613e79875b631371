"""Names, paths and addresses: texts that something else is found by."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_DECIMAL = re.compile(r"(-?\d+)\.0+")
_RESERVED = {"latency": "the time a prediction took", "prediction:": "the model's own outputs"}


def check_name(value: str) -> str:
    """Return the name of a model, a policy or a class as it is, or raise ValueError with the reason."""
    if not value or value != value.strip():
        raise ValueError("a name must not be empty, nor begin or end with a space: alerts are told apart by it")
    if not value.isprintable() or len(value) > 200:
        raise ValueError("a name must be printable, on one line, and at most 200 characters: alerts carry it")
    return value


def check_column(value: str) -> str:
    """Return the name of a feature or a dimension as it is, or raise ValueError with the reason."""
    check_name(value)
    if "=" in value:
        raise ValueError(
            f"`{value}` holds a `=`: segments are written column=value and could not be told apart; "
            "choose another name and say where the value stands with `path:`"
        )
    for word, owner in _RESERVED.items():
        if value == word or (word.endswith(":") and value.startswith(word)):
            raise ValueError(
                f"`{value}` is a reserved name, it means {owner}: choose another one and say where the value stands, "
                "such as {kind: numeric, path: " + value + "}"
            )
    return value


def check_path(value: str) -> str:
    """Return the path of a field as it is, or raise ValueError with the reason."""
    if not value:
        raise ValueError("an empty path leads nowhere: write the name of the field, dots for nesting")
    if not all(value.split(".")):
        raise ValueError(f"the path `{value}` has an empty step: write names with one dot between them, such as a.b")
    return value


def check_class(value: str) -> str:
    """Return the name of a class as it is, or raise ValueError with the reason."""
    check_name(value)
    match = _DECIMAL.fullmatch(value)
    if match:
        raise ValueError(
            f"`{value}` is the class `{match[1]}`, as labels of both forms are one class: write `{match[1]}`"
        )
    return value


def check_written_topic(value: str) -> str:
    """Return the name of a topic we write to as it is, or raise ValueError with the reason."""
    if not is_topic(value):
        raise ValueError(
            f"`{value}` cannot name a Kafka topic: letters, digits, `.`, `_` and `-` only, at most 249 of them"
        )
    return value


def check_read_topic(value: str) -> str:
    """Return the name of a topic (or file) we read as it is, or raise ValueError with the reason."""
    if not value or not value.isprintable():
        raise ValueError("the name of a topic must not be empty and must be printable")
    return value


def is_topic(value: str) -> bool:
    """Return whether Kafka takes this as a topic's name."""
    return _TOPIC.fullmatch(value) is not None and value not in {".", ".."}


def check_servers(value: str) -> str:
    """Return a list of brokers as it is, or raise ValueError naming the one that is not host:port."""
    for server in value.split(","):
        match = _HOST.fullmatch(server.strip())
        if match is None or not 0 < int(match[1]) < 65536:
            raise ValueError(
                f"`{server.strip()}` is not host:port: write for instance kafka.example.org:9092, "
                "several separated by commas"
            )
    return value


def check_uri(value: str) -> str:
    """Return a URI reference as it is, or raise ValueError with the reason."""
    if _URI.fullmatch(value) is None:
        raise ValueError(
            f"`{value}` is not a URI reference, which CloudEvents asks of a source: write for instance /anchorwatch "
            "or https://example.org/anchorwatch, with %20 for a space"
        )
    return value


def check_location(value: str) -> str:
    """Return the path of a file as it is, or raise ValueError with the reason."""
    if not value or "\0" in value:
        raise ValueError("this must be the path of a file")
    return value


Name = Annotated[str, AfterValidator(check_name)]
Column = Annotated[str, AfterValidator(check_column)]
ClassName = Annotated[str, AfterValidator(check_class)]
FieldPath = Annotated[str, AfterValidator(check_path)]
WrittenTopic = Annotated[str, AfterValidator(check_written_topic)]
ReadTopic = Annotated[str, AfterValidator(check_read_topic)]
Servers = Annotated[str, AfterValidator(check_servers)]
UriReference = Annotated[str, AfterValidator(check_uri)]
Location = Annotated[str, AfterValidator(check_location)]
