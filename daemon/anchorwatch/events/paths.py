r"""Field paths of the configuration, and the record types made from them.

A path names a field of a JSON object; dots lead into nested objects, and `\.` is a dot that belongs to a name.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from anchorwatch.errors import ConfigurationError
from anchorwatch.events.values import ABSENT_NUMBER, number, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.events.values import Getter

_DOT = re.compile(r"(?<!\\)\.")
_ESCAPED = re.compile(r'["\\\x00-\x1f]')

NUMBER = float | None
ANY = str | int | float | bool | UnsetType | None
LIST = list[str | int] | str | int | float | bool | UnsetType | None


def split(path: str) -> tuple[str, ...]:
    """Return the names along a path.

    Raises
    ------
    ConfigurationError
        If a name holds what JSON can only write escaped: a quote, a backslash, a control character.
    """
    names = tuple(name.replace("\\.", ".") for name in _DOT.split(path))
    if _ESCAPED.search("".join(names)):
        raise ConfigurationError(
            f"the path {path!r} holds a quote, a backslash or a control character, and fields of such names cannot be "
            "read: correct it, or have the producer rename the field"
        )
    return names


class Node:
    """One object of an event: the fields of it that are needed, as a type and as a way to read any value into it.

    Parameters
    ----------
    fields
        By name: True for a number, False for any scalar, None for a list or a scalar, a dictionary for an object with
        fields of its own.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.children = {key: Node(field) for key, field in fields.items() if isinstance(field, dict)}
        self.numbers = {key for key, field in fields.items() if field is True}
        self.lists = {key for key, field in fields.items() if field is None}
        self.names = {key: f"f{i}" for i, key in enumerate(fields)}
        self.type = msgspec.defstruct(
            "Event",
            [(name, *self._field(key)) for key, name in self.names.items()],
            gc=False,
            forbid_unknown_fields=False,
        )

    def _field(self, key: str) -> tuple[Any, Any]:
        if key in self.children:
            child = self.children[key].type
            return child, msgspec.field(default_factory=child, name=key)
        if key in self.numbers:
            return NUMBER, msgspec.field(default=ABSENT_NUMBER, name=key)
        return LIST if key in self.lists else ANY, msgspec.field(default=UNSET, name=key)

    def take(self, value: object) -> msgspec.Struct:
        """Return the event for a decoded JSON value whatever it holds; what cannot be used is marked in its cell."""
        found = value if isinstance(value, dict) else {}
        cells: dict[str, Any] = {}
        for key, name in self.names.items():
            if key in self.children:
                cells[name] = self.children[key].take(found.get(key))
            elif key in self.numbers:
                cells[name] = number(scalar(found.get(key, UNSET)))
            elif key in self.lists and isinstance(found.get(key), list):
                cells[name] = found[key]  # its items are judged one by one (`items.py`)
            else:
                cells[name] = scalar(found.get(key, UNSET))
        return self.type(**cells)

    def getter(self, path: tuple[str, ...]) -> Getter:
        """Return the function that takes the value at `path` from an event."""
        names = []
        node = self
        for key in path[:-1]:
            names.append(node.names[key])
            node = node.children[key]
        return attrgetter(".".join([*names, node.names[path[-1]]]))


def tree(paths: Mapping[tuple[str, ...], bool | None]) -> Node:
    """Return the root for these paths; the value of each is True for a number and nothing else, None for a list.

    Raises
    ------
    ConfigurationError
        If a path leads through another one, which would have to be a value and an object at once.
    """
    fields: dict[str, Any] = {}
    for path, sort in sorted(paths.items(), key=lambda item: len(item[0])):
        node = fields
        for depth, key in enumerate(path[:-1], 1):
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                value, inner = ".".join(path[:depth]), ".".join(path)
                raise ConfigurationError(
                    f"the path {value!r} is used as a value, and {inner!r} leads through it as an object: "
                    f"correct the one that is wrong, or write a dot that belongs to a name as `\\.`"
                )
        node[path[-1]] = sort
    return Node(fields)
