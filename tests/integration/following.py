"""A model that is followed over records in memory, as a replay does it."""

from anchorwatch.engine.state import fresh
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records

TOGETHER = 2000
"""Records of each topic in one batch."""


def followed(model, topics):
    """Return the watch, the state and all evidence after all records, given as {topic: [bytes]}."""
    watch = compile_watch("/test", "model", model, None, "test")
    decoder, state, evidence = Decoder("model", model), fresh(watch), []
    names = sorted(Partition(topic, 0) for topic in topics)
    for start in range(0, max(map(len, topics.values())) + TOGETHER, TOGETHER):
        parts = [
            Records(Partition(topic, 0), range(start, start + len(piece)), [None] * len(piece), piece)
            for topic, values in topics.items()
            if (piece := values[start : start + TOGETHER])
        ]
        batch, _ = decoder.decode(parts, names, 2**62, () if parts else names)
        state, outcome = step(watch, state, batch)
        evidence += outcome.evidence
    return watch, state, evidence
