"""Macro precision: the mean of the precision of each class."""

from __future__ import annotations

from typing import ClassVar

from anchorwatch_detectors.macro import Macro


class MacroPrecision(Macro):
    """Mean over all classes that occur, each counting the same; that of a class that is never predicted is 0."""

    name: ClassVar[str] = "macro_precision"
    among_true: ClassVar[bool] = False
    among_said: ClassVar[bool] = True
