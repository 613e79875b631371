"""The base of every part of the configuration, and how a part says that its settings contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterator


LENIENT: Final = {"conflicts": "are asked for afterwards"}
"""Validation context in which contradictions are not refused: `all_conflicts` tells them all, a validator only those
of the innermost sections."""


class Conflict(NamedTuple):
    """Two settings that do not go together.

    Attributes
    ----------
    path
        Keys that lead from the section to the setting that should be changed; () is the section itself.
    message
        What is wrong, why it matters and what to do.
    """

    path: tuple[str | int, ...]
    message: str


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False)

    def conflicts(self) -> Iterator[Conflict]:
        """Yield the contradictions between this section's settings."""
        yield from ()

    def all_conflicts(self) -> Iterator[Conflict]:
        """Yield the contradictions of this section and of all sections in it, with paths from here."""
        yield from self.conflicts()
        for attribute, field in type(self).model_fields.items():
            for path, section in _sections(getattr(self, attribute)):
                for conflict in section.all_conflicts():
                    yield Conflict((field.alias or attribute, *path, *conflict.path), conflict.message)

    @model_validator(mode="after")
    def _agree(self, info: ValidationInfo) -> Self:
        if info.context is LENIENT:
            return self
        found = [
            InitErrorDetails(
                type=PydanticCustomError("conflict", "{message}", {"message": conflict.message}),
                loc=conflict.path,
                input=None,
            )
            for conflict in self.conflicts()
        ]
        if found:
            raise ValidationError.from_exception_data(type(self).__name__, found)
        return self


def _sections(value: object) -> Iterator[tuple[tuple[str | int, ...], Section]]:
    """Yield the sections a setting holds, with the path that leads to each from the setting."""
    if isinstance(value, Section):
        yield (), value
    elif isinstance(value, dict):
        yield from (((name,), part) for name, part in value.items() if isinstance(part, Section))
    elif isinstance(value, list):
        yield from (((index,), part) for index, part in enumerate(value) if isinstance(part, Section))
