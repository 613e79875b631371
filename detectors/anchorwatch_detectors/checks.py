"""The contract that every detector must pass, as checks that anybody can run on their own detector.

Each check is a function of a detector; its docstring is the sentence that it checks. A detector that breaks it raises
`Broken`. For a detector of your own, in a test::

    @pytest.mark.parametrize("check", checks.for_sequential(), ids=lambda check: check.__name__)
    def test_my_detector_keeps_the_contract(check):
        check(MyDetector(threshold=3.0))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchorwatch_detectors import contract_sequential, contract_window

if TYPE_CHECKING:
    from collections.abc import Callable

    from anchorwatch_detectors.base import SequentialDetector
    from anchorwatch_detectors.comparison import WindowTest


def for_sequential() -> list[Callable[[SequentialDetector], None]]:
    """Return the checks of sequential detectors.

    Examples
    --------
    >>> from anchorwatch_detectors.sequential.adwin import Adwin
    >>> for check in for_sequential():
    ...     check(Adwin())
    """
    return _checks(contract_sequential)


def for_window() -> list[Callable[[WindowTest], None]]:
    """Return the checks of window tests.

    Examples
    --------
    >>> from anchorwatch_detectors.window.psi import Psi
    >>> for check in for_window():
    ...     check(Psi())
    """
    return _checks(contract_window)


def _checks(module: Any) -> list[Callable[[Any], None]]:
    return [found for name, found in vars(module).items() if name.startswith("check_")]
