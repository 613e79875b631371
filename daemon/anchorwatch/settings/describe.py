"""What can be set in a section, told from its types: for messages, for the reference, for `check --explain`."""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import PlainSerializer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from anchorwatch.settings.budgets import format_budget
from anchorwatch.settings.section import Section
from anchorwatch.settings.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORDS: tuple[tuple[type, str], ...] = ((Ge, "at least"), (Gt, "above"), (Le, "at most"), (Lt, "below"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a section.

    Attributes
    ----------
    name, attribute
        As written in YAML, and as an attribute of the section.
    description
        What it means.
    form
        What may be written: "a duration", "a whole number, at least 1", "one of a, b".
    options
        The words that may be written, where only some may.
    section
        The section it holds, or of which it holds several.
    many
        How it holds several: "map" by name, "list" one after the other; "" where it is one value.
    required, nullable, secret, number
        Whether it must be given, may be null, must not be shown, is a number.
    default
        Its default; None where it is required.
    """

    name: str
    attribute: str
    description: str
    form: str
    options: tuple[str, ...]
    section: type[Section] | None
    many: Literal["", "map", "list"]
    required: bool
    nullable: bool
    secret: bool
    number: bool
    default: object


@cache
def settings_of(section: type[Section]) -> Mapping[str, Setting]:
    """Return the settings of a section by the names they are written by, in the order of the reference."""
    found = {}
    for attribute, field in section.model_fields.items():
        name = field.alias or attribute
        found[name] = _setting(name, attribute, field)
    return found


def homes(name: str, section: type[Section], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting of this name, in a section and those inside it; `*` stands for any name."""
    for setting in settings_of(section).values():
        here = (*path, setting.name)
        if setting.name == name:
            yield here
        if setting.section is not None:
            yield from homes(name, setting.section, (*here, "*") if setting.many == "map" else here)


def _setting(name: str, attribute: str, field: FieldInfo) -> Setting:
    parts = list(_parts(field.annotation)) + list(field.metadata)
    origins = [get_origin(part) or part for part in parts]
    outer = next((part for part in origins if part is dict or part is list), None)
    bases = [part for part in parts if isinstance(part, type)]
    sections = [part for part in parts if isinstance(part, type) and issubclass(part, Section)]
    options = tuple(str(word) for part in parts if get_origin(part) is Literal for word in get_args(part))
    default = field.get_default(call_default_factory=True)
    many: Literal["", "map", "list"] = "map" if outer is dict else "list" if outer is list else ""
    return Setting(
        name=name,
        attribute=attribute,
        description=field.description or "",
        form=_form(parts, options, many, sections),
        options=options,
        section=sections[0] if sections else None,
        many=many,
        required=field.is_required(),
        nullable=type(None) in parts,
        secret=field.repr is False,
        number=bool({int, float} & set(bases)) and not {str, bool} & set(bases),
        default=None if default is PydanticUndefined else default,
    )


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield everything an annotation is made of, outermost first."""
    yield annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        kind, *metadata = get_args(annotation)
        yield from _parts(kind)
        for item in metadata:
            yield from item.metadata if isinstance(item, FieldInfo) else (item,)
    elif origin in (Union, types.UnionType, list):
        for part in get_args(annotation):
            yield from _parts(part)
    elif origin is dict:
        yield from _parts(get_args(annotation)[1])


def _form(parts: list[Any], options: tuple[str, ...], many: str, sections: list[type[Section]]) -> str:
    """Say what may be written."""
    if options:
        return f"{'one or several' if many == 'list' else 'one'} of {', '.join(options)}"
    if many == "map":
        return "names, each with settings of its own" if sections else "names, each with a value"
    if many == "list":
        return "settings of its own, or a list of such" if sections else "a list of texts"
    return "settings of its own" if sections else _scalar_form(parts)


def _scalar_form(parts: list[Any]) -> str:
    if any(isinstance(part, PlainSerializer) and part.func is format_budget for part in parts):
        return "a budget of false alarms, such as 1 per 30d or 1 per 1000000 events"
    bounds = " and ".join(
        f"{word} {_digits(getattr(part, kind.__name__.lower()))}"
        for kind, word in _WORDS
        for part in parts
        if type(part) is kind
    )
    if any(isinstance(part, PlainSerializer) and part.func is format_duration for part in parts):
        return "a duration above 0s" if bounds else "a duration"
    if str in parts:
        return "a text, a number, true or false" if int in parts else "text"
    if bool in parts:
        return "true or false"
    word = "a whole number" if int in parts else "a number"
    return f"{word}, {bounds}" if bounds else word


def _digits(bound: float) -> str:
    """Write a bound as YAML takes it and people read it."""
    return f"{bound:_}" if isinstance(bound, int) else f"{bound:g}"
