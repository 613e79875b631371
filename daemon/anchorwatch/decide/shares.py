"""Shares as people read them."""

from __future__ import annotations


def percent(share: float) -> str:
    """Return a share with one digit behind the point, a small one with two digits that count."""
    size = max(100 * share, 0.0)
    return f"{size:.1f} %" if size >= 1 else f"{float(f'{size:.2g}'):g} %"
