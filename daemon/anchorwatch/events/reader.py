"""Payloads to events: JSON of any shape to rows of the one type that the configuration asks for.

The type is made once, so that a payload is parsed, checked and cut down to the fields that are needed in one call.
Only a payload that does not fit is looked at again, leniently: a cell of the wrong type is marked and the event kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

from anchorwatch.events import paths
from anchorwatch.events.reasons import Reason
from anchorwatch.events.values import WRONG

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from anchorwatch.events.values import Getter

    Trouble = tuple[Reason, str]

LARGEST: Final = 16 * 2**20
"""Payloads of more bytes are not parsed: one would hold up all others."""

_LONGEST_NUMBER: Final = 4300
"""Whole numbers of more digits are infinite: Python and msgspec refuse to read them."""


class Reader:
    """Reads payloads into events.

    Parameters
    ----------
    fields
        The path of each field that is needed; True where it is used as a number and as nothing else.
    text
        All values stand as text, in one flat record: a path is a column's whole name.
    lists
        The fields that may hold a list of scalars.
    """

    def __init__(self, fields: Mapping[str, bool], *, text: bool, lists: Collection[str] = ()) -> None:
        self.text = text
        self._lists = frozenset(lists)
        numbers = {path for path, is_number in fields.items() if is_number and not text}
        self.numbers = frozenset(numbers - self._lists)
        self._root = paths.tree({
            self._path(path): None if path in self._lists else path in self.numbers for path in fields
        })  # fmt: skip
        self._decode = msgspec.json.Decoder(self._root.type).decode
        self._blank = self._root.take({})

    def _path(self, path: str) -> tuple[str, ...]:
        names = paths.split(path)
        return (".".join(names),) if self.text else names

    def getter(self, path: str) -> Getter:
        """Return the function that takes the value of a field from an event; a list is a value of the wrong type."""
        get = self.list_getter(path)
        return (lambda row: WRONG if isinstance(get(row), list) else get(row)) if path in self._lists else get

    def list_getter(self, path: str) -> Getter:
        """Return the same for a field that may hold a list, lists as they are."""
        return self._root.getter(self._path(path))

    def read(self, values: Sequence[bytes]) -> tuple[list[msgspec.Struct], dict[int, Trouble]]:
        """Return one event for each payload, and by position what is wrong with those that could not be read.

        The event of an unreadable payload holds nothing.
        """
        rows: list[msgspec.Struct] = []
        troubles: dict[int, Trouble] = {}
        if max(map(len, values), default=0) > LARGEST:
            troubles = {i: too_large() for i, value in enumerate(values) if len(value) > LARGEST}
            values = [b"" if i in troubles else value for i, value in enumerate(values)]
        rest = iter(values)
        while len(rows) < len(values):
            try:
                rows.extend(map(self._decode, rest))  # an exception leaves in `rows` what came before it
            except (ValueError, RecursionError):
                at = len(rows)
                found = lenient(values[at])
                if isinstance(found, dict):
                    rows.append(self._root.take(found))
                else:
                    rows.append(self._blank)
                    troubles.setdefault(at, found)
        return rows, troubles


def lenient(value: bytes) -> dict[str, object] | Trouble:
    """Return the object a payload holds, read as generously as can be done without guessing, or what is wrong.

    A byte order mark, the literals NaN and Infinity (Python writes them), lone surrogates and numbers beyond any
    type are taken; what they mean is decided cell by cell.
    """
    try:
        found = json.loads(value.decode("utf-8-sig"), parse_int=_whole)
    except UnicodeDecodeError as error:
        return Reason.NOT_UTF8, f"byte {error.start} of the payload is not UTF-8: write events as JSON in UTF-8"
    except RecursionError:
        return Reason.TOO_DEEP, "objects or lists are nested too deeply to be read: write flatter events"
    except ValueError as error:
        return Reason.NOT_JSON, f"the payload is not JSON ({error}): write one JSON object per record"
    if not isinstance(found, dict):
        kind = type(found).__name__
        return Reason.NOT_AN_OBJECT, f"the payload is JSON but no object ({kind}): write one JSON object per record"
    return found


def too_large() -> Trouble:
    """Return what is wrong with a payload of more than `LARGEST` bytes."""
    return Reason.TOO_LARGE, f"the payload has more than {LARGEST} bytes: leave out what the model does not use"


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)
