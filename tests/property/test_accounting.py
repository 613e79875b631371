"""Every record that came is accounted for, exactly once, at every moment."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.worlds import Run, worlds


def assert_adds_up(counts, run, *, shared):
    """Hold the equations of `State.accounting` against the records read."""

    def total(*names):
        return sum(counts.get(name, 0) for name in names)

    assert counts["predictions"] == total(
        "late_predictions", "too_many_versions", "duplicate_predictions", "pending_predictions",
        "matched", "waiting_predictions", "expired_predictions", "sampled_out_predictions",
    )  # fmt: skip
    assert counts.get("labels", 0) == total(
        "matched", "duplicate_labels", "revised_labels", "late_labels", "orphan_labels", "waiting_labels",
        "pending_labels", "sampled_out_labels",
    )  # fmt: skip
    reported = [n for name, n in counts.items() if name.startswith("status_")]
    assert counts.get("statuses", 0) == sum(reported) + total("pending_statuses")
    unusable = sum(n for name, n in counts.items() if name.startswith(("dead_", "skipped_")))
    read = [(partition.topic, v) for partition, log in run.logs.items() for v in log[: run.place[partition]]]
    both = [topic == "events" and b'"amount"' in value and b'"truth"' in value for topic, value in read if value]
    rows = counts["predictions"] + total("labels", "statuses")
    assert len(read) + shared * sum(both) == rows + unusable
    assert min(counts.values()) >= 0


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.integers(0, 2**32 - 1), st.lists(st.binary(max_size=60), max_size=20))
def test_the_records_read_add_up_over_the_accounting(world, seed, hostile):
    """After each batch and in the end, with duplicates, orphans, late ones, and any bytes in between."""
    rng = np.random.default_rng(seed)
    logs = world.records()
    for value in hostile:
        log = logs[sorted(logs)[int(rng.integers(len(logs)))]]
        log.insert(int(rng.integers(len(log) + 1)), value)
    run = Run(world, logs)
    while run.rest:
        run.take([(partition, int(rng.integers(0, 120))) for partition in sorted(run.rest)])
        counts = run.state.accounting()
        if "predictions" in counts:
            assert_adds_up(counts, run, shared=world.shared and world.labels)
    run.end()
    counts = run.state.accounting()
    assert_adds_up(counts, run, shared=world.shared and world.labels)
    assert counts["pending_predictions"] == counts["pending_labels"] == 0
    assert run.told.letters == sum(n for name, n in counts.items() if name.startswith("dead_"))
