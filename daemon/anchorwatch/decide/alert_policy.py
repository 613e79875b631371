"""When verdicts become an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from anchorwatch.settings.models import Alerting


class AlertPolicy(msgspec.Struct, frozen=True):
    """When verdicts become an alert; durations in ns of event time.

    Attributes
    ----------
    severity
        "info", "warning" or "critical": a label of the alert.
    needs, of
        It fires, and goes on firing, while `needs` of the last `of` verdicts show trouble; 1 <= needs <= of <= 32.
        A decisive verdict decides alone, either way.
    keep_firing_for
        Time since the last trouble before it may resolve.
    cooldown
        Time after resolving during which it does not fire.
    repeat
        Time after which a firing alert is told again; 0: never.
    flaps, flaps_within, flaps_quiet
        So many firings within that time are flapping: the last is held until it has been quiet for the other; 0: never.
    """

    severity: str
    needs: int
    of: int
    keep_firing_for: int
    cooldown: int
    repeat: int
    flaps: int = 0
    flaps_within: int = 0
    flaps_quiet: int = 0

    @classmethod
    def of_settings(cls, alerting: Alerting) -> Self:
        """Return the policy that the configuration asks for."""
        flapping = alerting.flapping
        return cls(
            severity=alerting.severity,
            needs=alerting.needs,
            of=alerting.of,
            keep_firing_for=alerting.keep_firing_for,
            cooldown=alerting.cooldown,
            repeat=alerting.repeat,
            flaps=0 if flapping is None else flapping.times,
            flaps_within=0 if flapping is None else flapping.within,
            flaps_quiet=0 if flapping is None else flapping.quiet,
        )

    def shifted(self, history: int, *, trouble: bool) -> int:
        """Return the history with one more verdict; bit 0 is the newest, what is older than `of` is forgotten."""
        return ((history << 1) | trouble) & ((1 << self.of) - 1)

    def recent(self, fired: tuple[int, ...], at: int) -> tuple[int, ...]:
        """Return the firings that count towards flapping at an event time."""
        return tuple(time for time in fired if at - time < self.flaps_within) if fired and self.flaps else ()

    def enough(self, history: int) -> bool:
        """Whether enough of the last verdicts show trouble."""
        return history.bit_count() >= self.needs
