"""A sink for runs whose messages nobody reads: what they found is told in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.events.records import Outgoing


class Nowhere:
    """Takes messages and lets them go."""

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Let them go."""

    def close(self) -> None:
        """Nothing is held."""
