"""Shares and figures as people read them."""

from __future__ import annotations


def percent(share: float) -> str:
    """Return a share with one digit behind the point, a small one with two digits that count."""
    size = max(100 * share, 0.0)
    return f"{size:.1f} %" if size >= 1 else f"{float(f'{size:.2g}'):g} %"


def figure(value: float, digits: int = 3) -> str:
    """Return a number with so many digits that count; a larger one as a whole number, which nobody has to unfold."""
    if 10**digits - 0.5 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
