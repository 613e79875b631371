"""Compiles ahead of time what would be compiled at first use: seconds that a live stream need not wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from anchorwatch_detectors.base import SequentialDetector

_EVENTS = 64


def warm(detector: SequentialDetector) -> None:
    """Load or compile the kernels of a sequential detector, and keep them where `kernels.compiling` finds a place.

    Parameters
    ----------
    detector
        Any; one without kernels is run over a few values and nothing else happens.
    """
    state = detector.start(1, 1)
    values = np.zeros((1, _EVENTS))
    state.update(values)
    state.update(values, np.zeros(_EVENTS, dtype=np.int64))


def warm_learners() -> None:
    """Load or compile the kernels of the cheap models that say what a retraining would recover."""
    from anchorwatch_detectors import learners
    from anchorwatch_detectors.views import Sparse

    rows = Sparse(np.zeros((2, 1), dtype=np.int64), np.ones((2, 1)), 1)
    learners.values(learners.regressors()[0], rows, np.zeros(2))
    for classes in (2, 3):
        learners.probabilities(learners.classifiers(classes)[0], rows, np.arange(2), classes)


def place() -> str | None:
    """Return the folder that keeps what is compiled; None where there is none, and every process compiles anew."""
    from anchorwatch_detectors.kernels import block, compiling

    folder = compiling.cache_folder(block.__file__)
    return None if folder is None else str(folder.parent)
