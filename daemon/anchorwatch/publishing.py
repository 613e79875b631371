"""Publishing what waits in the outbox, and what is known of it where that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from anchorwatch.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.events.records import Outgoing, Sink

TOGETHER = 1000
"""Messages that are sent in one call."""


class Outbox(Protocol):
    """Messages that wait, in order."""

    def unpublished(self, limit: int) -> list[Outgoing]:
        """Return the first messages that wait."""

    def published(self, ids: Sequence[str]) -> None:
        """Take messages out of the outbox."""


class Publisher:
    """Sends what waits, and sends it again for as long as it is refused, until patience ends.

    Parameters
    ----------
    sink, outbox, clock
        The parts.
    patience
        Seconds for which sending may fail.

    Attributes
    ----------
    failure
        Why the last attempt failed; None where it did not.
    """

    def __init__(self, sink: Sink, outbox: Outbox, clock: Clock, patience: float) -> None:
        self.failure: ConnectionFailed | None = None
        self._sink, self._outbox, self._clock, self._patience = sink, outbox, clock, patience
        self._failing_since = 0.0

    def publish(self) -> None:
        """Send all that waits; a failure is tried again at the next call.

        Raises
        ------
        ConnectionFailed
            Where it has failed for longer than the patience.
        """
        while waiting := self._outbox.unpublished(TOGETHER):
            try:
                self._sink.send(waiting)
            except ConnectionFailed as failure:
                now = self._clock.monotonic()
                if self.failure is None:
                    self._failing_since = now
                self.failure = failure
                if now - self._failing_since >= self._patience:
                    raise
                return
            self.failure = None
            self._outbox.published([message.id for message in waiting])
