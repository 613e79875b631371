"""Ranges of parameters, checked in one way and told in one way."""

from __future__ import annotations

import math
from typing import TypedDict, Unpack


class Bounds(TypedDict, total=False):
    """Ends of an interval; those left out do not bound it."""

    above: float
    below: float
    least: float
    most: float


def check_real(detector: str, name: str, value: object, **bounds: Unpack[Bounds]) -> None:
    """Raise ValueError unless a parameter is a finite number within bounds.

    Parameters
    ----------
    detector, name
        Whose parameter it is and what it is called, for the message.
    value
        What was given.
    **bounds
        above < value < below, least <= value <= most.

    Examples
    --------
    >>> check_real("adwin", "delta", 2.0, above=0.0, below=1.0)
    Traceback (most recent call last):
    ValueError: adwin: delta must be a finite number above 0 and below 1, not 2.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        open_ends = bounds.get("above", -math.inf) < value < bounds.get("below", math.inf)
        closed_ends = bounds.get("least", -math.inf) <= value <= bounds.get("most", math.inf)
        if open_ends and closed_ends:
            return
    words = {"above": "above", "least": "at least", "below": "below", "most": "at most"}
    within = " and ".join(f"{words[end]} {bound:g}" for end, bound in bounds.items())
    raise ValueError(f"{detector}: {name} must be a finite number{' ' * bool(within)}{within}, not {value!r}")


def check_whole(detector: str, name: str, value: object, *, least: int, most: int = 2**31 - 1) -> None:
    """Raise ValueError unless a parameter is a whole number in [least, most]; see `check_real`."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return
    raise ValueError(f"{detector}: {name} must be a whole number in [{least}, {most}], not {value!r}")


def check_choice(detector: str, name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ValueError unless a parameter is one of `choices`, of the same type; see `check_real`."""
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return
    raise ValueError(f"{detector}: {name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
