"""How a check of the contract tells that it is broken, and what holds for the parameters of any detector."""

from __future__ import annotations

import inspect
from typing import Any


class Broken(AssertionError):
    """A detector does not keep the contract; the message says how."""


def require(kept: object, sentence: str) -> None:
    """Raise `Broken` with a sentence unless the condition holds."""
    if not kept:
        raise Broken(sentence)


def require_error(sentence: str, call: Any, *arguments: Any, **named: Any) -> None:
    """Raise `Broken` with a sentence unless the call raises ValueError."""
    try:
        call(*arguments, **named)
    except ValueError:
        return
    raise Broken(sentence)


def require_validated(detector: Any) -> None:
    """Raise `Broken` unless every parameter of the detector's class refuses what it cannot be with ValueError."""
    made_by = type(detector)
    for name in inspect.signature(made_by).parameters:
        others = {
            other: getattr(detector, other, parameter.default)
            for other, parameter in inspect.signature(made_by).parameters.items()
            if other != name
        }
        for wrong in (float("nan"), "no such value", object()):
            sentence = f"{made_by.__name__} takes {wrong!r} for {name}; it must raise ValueError"
            require_error(sentence, made_by, **others, **{name: wrong})
