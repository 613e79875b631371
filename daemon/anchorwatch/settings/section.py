"""The base of every part of the configuration, and how a part says that its settings contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        """Yield every contradiction between this section's settings; all of them are told at once."""
        yield from ()

    @model_validator(mode="after")
    def _agree(self) -> Self:
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
