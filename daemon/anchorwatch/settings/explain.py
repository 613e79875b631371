"""Settings written as YAML, every one with its meaning: what a configuration implies, and the reference."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from anchorwatch.settings.budgets import Budget, format_budget
from anchorwatch.settings.describe import Setting, settings_of
from anchorwatch.settings.section import Section
from anchorwatch.settings.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Style = Literal["beside", "above"]

WIDTH: Final = 116
_DURATION = re.compile(r"[0-9]+(?:ns|us|ms|s|m|h|d)")
_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./ -]|:(?=[A-Za-z0-9]))*(?<! )")
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_ODD = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def to_yaml(section: Section, style: Style, secret: Callable[[str], str]) -> str:
    """Write every setting of a section, given or not, as YAML that loads again.

    Parameters
    ----------
    section
        What to write.
    style
        "beside": the meaning follows the value on its line, after "default" where that is what it is. "above": the
        meaning, what may be written and the default stand above, once for each kind of section.
    secret
        The YAML to write in place of a secret, by the name of its setting.
    """
    return "".join(f"{line}\n" for line in _Writer(style, secret).section(section, None, ""))


@dataclass(slots=True)
class _Writer:
    style: Style
    secret: Callable[[str], str]
    explained: set[type[Section]] = field(default_factory=set)

    def section(self, section: Section, default: Section | None, indent: str) -> Iterator[str]:
        """Yield the lines of a section; `default` is what stands in its place when it is left out."""
        kind = type(section)
        above = self.style == "above" and kind not in self.explained
        self.explained.add(kind)
        for setting in settings_of(kind).values():
            usual = getattr(default, setting.attribute) if type(default) is kind else setting.default
            if above:
                yield from _above(setting, usual, indent)
            yield from self._setting(section, setting, usual, indent)
            if self.style == "above" and not indent:
                yield ""

    def _setting(self, section: Section, setting: Setting, usual: object, indent: str) -> Iterator[str]:
        value = getattr(section, setting.attribute)
        note = _beside(setting, is_default=not setting.required and value == usual) if self.style == "beside" else ""
        key = f"{indent}{setting.name}:"
        if setting.secret and value is not None:
            yield f"{key} {self.secret(setting.name)}{note}"
        elif isinstance(value, Section):
            yield f"{key}{note}"
            yield from self.section(value, usual if isinstance(usual, Section) else None, f"{indent}  ")
        elif setting.section is not None and value:
            yield f"{key}{note}"
            yield from self._several(value, f"{indent}  ")
        else:
            yield f"{key} {_flow(_written(setting, value))}{note}"

    def _several(self, sections: Mapping[str, Section] | list[Section], indent: str) -> Iterator[str]:
        """Yield the lines of sections by name, or one after the other."""
        if isinstance(sections, list):
            for section in sections:
                lines = list(self.section(section, None, f"{indent}  "))
                start = next(index for index, line in enumerate(lines) if not line.lstrip().startswith("#"))
                yield from (f"{indent}{line.lstrip()}" for line in lines[:start])
                yield f"{indent}- {lines[start].lstrip()}"
                yield from lines[start + 1 :]
            return
        for name, section in sections.items():
            yield f"{indent}{scalar(name)}:"
            yield from self.section(section, None, f"{indent}  ")


def _beside(setting: Setting, *, is_default: bool) -> str:
    """Return the comment that follows a value."""
    return "  # " + "; ".join([*(["default"] if is_default else []), setting.description.rstrip(".")])


def _above(setting: Setting, usual: object, indent: str) -> Iterator[str]:
    """Yield the comment that stands above a setting: its meaning, what may be written, the default."""
    if setting.required:
        default = "Required."
    elif "Default:" in setting.description or (setting.section is not None and usual is not None):
        default = ""
    else:
        default = f"Default: {_flow(_written(setting, usual))}."
    form = f"{setting.form[:1].upper()}{setting.form[1:]}{', or null' if setting.nullable else ''}. {default}"
    for part in (setting.description, form.rstrip()):
        yield from textwrap.wrap(part, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _written(setting: Setting, value: object) -> object:
    """Return a value as it is written: a duration with its unit, a budget as its text."""
    if isinstance(value, Budget):
        return format_budget(value)
    is_duration = setting.form.startswith("a duration") and value is not None
    return format_duration(cast("int", value)) if is_duration else value


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(part) for part in value) + "]"
    return scalar(value)


def scalar(value: object) -> str:
    """Write one value as YAML that the loader reads back as the same value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("${", "$${")
    if _DURATION.fullmatch(text) or (_PLAIN.fullmatch(text) and text.lower() not in _WORDS):
        return text
    return _ODD.sub(lambda match: f"\\U{ord(match[0]):08x}", json.dumps(text, ensure_ascii=False))
