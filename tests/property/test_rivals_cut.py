"""Champion and challenger under any cutting of the stream, and every record of both accounted for."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.test_batch_invariance import assert_same
from tests.property.worlds import SECOND, START, Run, World

from anchorwatch.engine.comparing import Comparison

COMPARE = {"champion": "1", "challenger": "2", "margin": 0.02, "significance": 0.2, "within": "2s"}
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KINDS = ["binary", "regression", "ranking"]


def a_world(seed, kind="binary", **changes):
    usual = {"n": 400, "versions": False, "wait": 120, "extra": {"compare": COMPARE}, "kind": kind}
    return World(seed=seed, **(usual | changes))


def shadowed(world, worse=0.3):
    """Return the logs of a world in which a second version scores most predictions too, a little later."""
    rng, logs = np.random.default_rng(world.seed + 1), {}
    for partition, log in world.records().items():
        rows = []
        for value in log:
            rows.append(value)
            shadow = _shadow(rng, value, worse) if rng.random() < 0.9 else None
            if shadow is not None:
                rows.insert(len(rows) - int(rng.integers(0, 4)) if len(rows) > 4 else len(rows), shadow)
        logs[partition] = rows
    return logs


def begun_before_all(logs):
    """Return the logs with a prediction of the challenger before everything else."""
    events = [(partition, _event(value)) for partition, log in logs.items() for value in log]
    partition, body = next((partition, event) for partition, event in events if "amount" in event and "at" in event)
    first = {**body, "id": "first of all", "version": "2", "at": START / SECOND - 3600.0}
    return {**logs, partition: [json.dumps(first).encode(), *logs[partition]]}


def _event(value):
    try:
        body = json.loads(value)
    except (TypeError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _shadow(rng, value, worse):
    body = _event(value)
    if "amount" not in body or "version" not in body:
        return None
    at = body["at"] + float(rng.choice([0.0, 0.5, 3.0], p=[0.6, 0.2, 0.2]))
    wrong = rng.random() < worse
    changed = {"score": 1.0 - body.get("score", 0.0) if wrong else body.get("score", 0.0)}
    if "value" in body:
        changed["value"] = body["value"] + (5.0 if wrong else 0.0) * rng.normal()
    if "items" in body:
        changed["items"] = body["items"][::-1] if wrong else body["items"]
    return json.dumps({**body, **changed, "version": "2", "at": at}).encode()


@FEW
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from(KINDS),
    st.booleans(),
    st.sampled_from(["first", "latest"]),
)
def test_cutting_interleaving_and_restarts_change_nothing_said_of_rivals(seed, cut, kind, shared, revisions):
    world = a_world(seed, kind, shared=shared, segments=False, revisions=revisions)
    logs = shadowed(world)
    whole = Run(world, logs).take_all()
    assert_same(whole, Run(world, logs).take_cut(np.random.default_rng(cut), restarts=0.1, eager=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_much_is_said_of_rivals_in_these_worlds(seed):
    """Without this the property would say nothing: pairs are found, a worse challenger is told, once per change."""
    world = a_world(seed, segments=False)
    run = Run(world, shadowed(world)).take_all()
    assert run.state.counts["compared_predictions"] > 150
    assert any("Kind.COMPARISON" in each and "reason='worse'" in each for each in run.told.evidence)
    assert sum("Kind.COMPARISON" in each and "Reason.FIRED" in each for each in run.told.notices) == 1
    assert run.state.rivals.comparison == Comparison("1", "2", 0.02, 0.2, 2 * 10**9, rollouts=True, regression=False)


def test_one_record_at_a_time_says_the_same_of_rivals():
    world = a_world(4, n=150, segments=False)
    logs = shadowed(world)
    whole = Run(world, logs).take_all()
    assert_same(whole, Run(world, logs).take_cut(np.random.default_rng(1), largest=1, restarts=0.02))


@FEW
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_records_of_both_versions_add_up(seed, shared):
    """A label that counts for both is read once and mirrored once, from the challenger's first prediction on."""
    world = a_world(seed, n=200, shared=shared)
    run = Run(world, begun_before_all(shadowed(world)))
    while run.rest:
        run.take([(partition, 90) for partition in sorted(run.rest)])
    run.end()
    counts = run.state.accounting()
    mirrored = counts.pop("mirrored_labels")
    assert mirrored == counts["labels"] - counts["pending_labels"]
    labels = counts.pop("labels")
    with_mirrored = counts | {"labels": labels + mirrored}
    rows = _sums(with_mirrored)
    assert rows == (with_mirrored["predictions"], with_mirrored["labels"])
    assert_adds_up_as_read(counts | {"labels": labels}, run, shared=shared)


def _sums(counts):
    def total(*names):
        return sum(counts.get(name, 0) for name in names)

    predictions = total(
        "late_predictions", "too_many_versions", "duplicate_predictions", "pending_predictions",
        "matched", "waiting_predictions", "expired_predictions",
    )  # fmt: skip
    labels = total(
        "matched", "duplicate_labels", "revised_labels", "late_labels", "orphan_labels", "waiting_labels",
        "pending_labels",
    )  # fmt: skip
    return predictions, labels


def assert_adds_up_as_read(counts, run, *, shared):
    unusable = sum(n for name, n in counts.items() if name.startswith(("dead_", "skipped_")))
    read = [value for partition, log in run.logs.items() for value in log[: run.place[partition]]]
    twofold = sum(b'"amount"' in value and b'"truth"' in value for value in read if value)
    assert len(read) + shared * twofold == counts["predictions"] + counts["labels"] + unusable


def test_a_corrected_label_replaces_the_first_for_both_versions_and_the_comparison_keeps_what_it_took():
    """The windows of both then hold the same labels; a retraining learns from the champion's predictions alone."""
    world = a_world(2, n=600, segments=False, wait=900, early=0, revisions="latest")
    logs = shadowed(world)
    latest, first = (Run(each, logs) for each in (world, replace(world, revisions="first")))
    for run in (latest, first):
        run.take([(partition, 2 * n // 3) for partition, n in run.rest.items()])  # windows at the end are open
    held, before = labels(latest), labels(first)
    both = held[0].keys() & held[1].keys()
    assert len(both) > 50
    assert all(held[0][ident] == held[1][ident] for ident in both)
    assert min(sum(now[i] != then[i] for i in now) for now, then in zip(held, before, strict=True)) > 3
    assert list(latest.state.shadow.revised) == [[v.name for v in latest.state.versions].index("1")]
    assert latest.state.rivals.standing == first.state.rivals.standing


def labels(run):
    """Return for each version the label of each prediction in its open windows, by id."""
    spans = [list(version.performance.opened.values()) for version in run.state.versions]
    rows = [[zip(s.rows.ident.tolist(), s.rows.words[3].tolist(), strict=True) for s in each] for each in spans]
    return [dict(pair for span in each for pair in span) for each in rows]


ROLLOUTS = {"margin": 0.0, "significance": 0.5}


@FEW
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.booleans())
def test_cutting_interleaving_and_restarts_change_nothing_said_of_successive_versions(seed, cut, shared):
    world = World(seed=seed, n=500, shared=shared, segments=False, extra={"compare": ROLLOUTS})
    whole = Run(world).take_all()
    assert_same(whole, Run(world).take_cut(np.random.default_rng(cut), restarts=0.1, eager=True))


def test_an_id_that_comes_three_times_within_a_block_finds_its_labels_in_any_cutting():
    world = World(seed=40106399, n=500, shared=False, segments=False, extra={"compare": ROLLOUTS})
    whole = Run(world).take_all()
    assert_same(whole, Run(world).take_cut(np.random.default_rng(0), restarts=0.1, eager=True))


def test_much_is_said_of_successive_versions_in_these_worlds():
    worlds = [World(seed=seed, n=500, segments=False, extra={"compare": ROLLOUTS}) for seed in range(4)]
    runs = [Run(world).take_all() for world in worlds]
    assert all(run.state.rollouts.bout is not None for run in runs)
    said = [each for run in runs for each in run.told.evidence if "monitor='rates'" in each]
    assert any("Level.DRIFT" in each for each in said)
