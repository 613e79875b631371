"""Ranges of parameters, checked in one way and told in one way."""

from __future__ import annotations

import math


def check_real(
    detector: str,
    name: str,
    value: object,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> None:
    """Raise ValueError unless `value` is a finite number with above < value < below and least <= value <= most."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if number and above < value < below and least <= value <= most:
        return
    bounds = [f"{word} {bound:g}" for word, bound in (("above", above), ("at least", least)) if bound > -math.inf]
    bounds += [f"{word} {bound:g}" for word, bound in (("below", below), ("at most", most)) if bound < math.inf]
    raise ValueError(f"{detector}: {name} must be a finite number {' and '.join(bounds)}".rstrip() + f", not {value!r}")


def check_whole(detector: str, name: str, value: object, *, least: int, most: int = 2**31 - 1) -> None:
    """Raise ValueError unless `value` is a whole number in [least, most]."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return
    raise ValueError(f"{detector}: {name} must be a whole number in [{least}, {most}], not {value!r}")


def check_choice(detector: str, name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ValueError unless `value` is one of `choices`, of the same type."""
    if any(value == choice and type(value) is type(choice) for choice in choices):
        return
    raise ValueError(f"{detector}: {name} must be one of {', '.join(map(repr, choices))}, not {value!r}")
