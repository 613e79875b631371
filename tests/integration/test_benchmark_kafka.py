"""The benchmark of Kafka reads the same from a real broker as the loop beside it."""

from benchmarks import kafka
from benchmarks.logs import simulated


def test_both_read_every_event_from_the_broker(bootstrap, prefix, tmp_path):
    log = simulated(tmp_path, 12_000, 4_000, prefix=f"{prefix}-")
    kafka.produce(bootstrap, log)
    try:
        (model,) = kafka.ours(bootstrap, log, tmp_path).models
        counts = model.state.accounting()
        naive = kafka.theirs(bootstrap, log)
    finally:
        kafka.delete(bootstrap, log)
    assert counts["predictions"] + counts["labels"] == log.events
    assert naive.predictions == counts["predictions"]
    assert {alert.subject for alert in naive.alerts} >= {"amount", "error rate"}
