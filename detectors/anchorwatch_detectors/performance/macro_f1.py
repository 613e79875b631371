"""Macro F1: the mean of the F1 of each class."""

from __future__ import annotations

from typing import ClassVar

from anchorwatch_detectors.macro import Macro


class MacroF1(Macro):
    """Mean over all classes that occur, each counting the same. The interval is that of `Macro`."""

    name: ClassVar[str] = "macro_f1"
    among_true: ClassVar[bool] = True
    among_said: ClassVar[bool] = True
