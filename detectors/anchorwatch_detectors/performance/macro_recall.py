"""Macro recall: the mean of the recall of each class."""

from __future__ import annotations

from typing import ClassVar

from anchorwatch_detectors.macro import Macro


class MacroRecall(Macro):
    """Mean over all classes that occur, each counting the same; that of a class that is never true is 0."""

    name: ClassVar[str] = "macro_recall"
    among_true: ClassVar[bool] = True
    among_said: ClassVar[bool] = False
