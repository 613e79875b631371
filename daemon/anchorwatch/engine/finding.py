"""What a monitor says, on its way to becoming evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Kind
    from anchorwatch.engine.panes import Moment
    from anchorwatch_detectors.base import Verdict


class Finding(NamedTuple):
    """A verdict with its moment and subject.

    Attributes
    ----------
    moment
        When it was found.
    segment, kind, subject, monitor
        Whose it is, as in `decide.evidence.Identity`.
    verdict
        What was found.
    baseline
        Id of the baseline it was held against.
    decisive
        Whether one such verdict is enough.
    """

    moment: Moment
    segment: str
    kind: Kind
    subject: str
    monitor: str
    verdict: Verdict
    baseline: str
    decisive: bool
