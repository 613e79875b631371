"""The most important promise: how a stream is cut into batches, and how its partitions interleave, changes nothing."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st
from tests.property.worlds import SHORT, Run, World, worlds

from anchorwatch.engine.state import from_parts

THOROUGH = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])

BEGUN_AFTER_A_TAKEOVER = World(
    seed=595772313,
    n=120,
    partitions=(1, 1),
    shared=True,
    segments=False,
    size=30,
    time=12,
    lateness=0,
    wait=40,
    early=0,
    coarse=False,
)
"""A version begins shortly after another one took over: that one has not replaced it, also within one batch."""


def assert_same(one, other):
    """Ask for the same verdicts in the same order, same tellings and ids, same baselines, same bytes of state."""
    assert other.told.baselines == one.told.baselines
    assert other.told.evidence == one.told.evidence
    assert other.told == one.told
    assert other.state.accounting() == one.state.accounting()
    assert other.parts() == one.parts()


@THOROUGH
@given(worlds(), st.integers(0, 2**32 - 1), st.booleans())
def test_cutting_and_interleaving_change_nothing(world, seed, eager):
    """One batch of everything, and random pieces of random partitions, come to the same."""
    whole = Run(world).take_all()
    note(whole.state.accounting())
    assert_same(whole, Run(world).take_cut(np.random.default_rng(seed), eager=eager))


@THOROUGH
@given(worlds(), st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
@example(BEGUN_AFTER_A_TAKEOVER, 0, 1.0)
def test_a_restart_anywhere_changes_nothing(world, seed, restarts):
    """State that went through bytes goes on as it would have, also where only what changed was written."""
    cut = Run(world).take_cut(np.random.default_rng(seed))
    restarted = Run(world).take_cut(np.random.default_rng(seed + 1), restarts=restarts)
    assert_same(cut, restarted)
    restarted.checkpoint()
    assert restarted.store == restarted.parts()
    again = from_parts(restarted.watch, restarted.store)
    assert Run.parts(_with(restarted, again)) == restarted.parts()


def _with(run, state):
    run.state = state
    return run


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.sampled_from(["binary", "regression"]), st.sampled_from(["adwin", "hddm_a"]))
def test_cutting_changes_nothing_with_a_season_either(seed, kind, detector):
    """The baseline covers a whole day, in several buckets; the rest is compared with the same time of day."""
    world = World(seed=seed, n=1200, kind=kind, first=300, gap=150.0, season="day", size=40, detector=detector)
    whole = Run(world).take_all()
    cycles = [version.baseline.cycle for version in whole.state.versions if version.baseline is not None]
    assert "day" in cycles
    assert_same(whole, Run(world).take_cut(np.random.default_rng(seed), restarts=0.05))


@pytest.mark.parametrize(
    ("seed", "kind"), [*enumerate(["binary"] * 4), (4, "ranking"), (5, "ranking"), (6, "probable"), (7, "probable")]
)
def test_cutting_and_restarts_change_nothing_in_a_join_of_many_runs(seed, kind):
    """The runs of the join are filled, merged and dropped in another rhythm, and come to the same bytes."""
    world = World(seed=seed, n=600, kind=kind, wait=60, runs=SHORT)
    logs = {partition: log[: len(log) // 2] for partition, log in world.records().items()}
    whole = Run(world, logs).take_all()
    cut = Run(world, logs).take_cut(np.random.default_rng(seed), restarts=0.3)
    assert_same(whole, cut)
    cut.checkpoint()
    assert cut.store == cut.parts()
    assert cut.state.join.predictions.size > 100
    assert "join/predictions/0" not in cut.store


@pytest.mark.parametrize("changes", [{}, {"shared": True}, {"sample": 0.5, "segments": False}, {"early": 40}])
def test_cutting_and_restarts_change_nothing_said_of_lists(changes):
    """Lists and the items that labels name wait on either side of the join, in the buffer, and as early labels."""
    world = World(seed=11, n=900, kind="ranking", size=80, first=160, versions=False, **changes)
    whole = Run(world).take_all()
    assert sum("ndcg_at_k" in said and "within_margin" in said for said in whole.told.evidence) >= 3
    assert_same(whole, Run(world).take_cut(np.random.default_rng(2), restarts=0.2))


@pytest.mark.parametrize(("seed", "kind"), [(1, "binary"), (2, "multiclass"), (3, "regression"), (4, "probable")])
def test_cutting_and_restarts_change_nothing_where_corrected_labels_replace_the_first(seed, kind):
    """Corrections come in time and too late for windows, before the baseline is there and after, and for all parts."""
    world = World(seed=seed, kind=kind, n=600, wait=60, time=25, runs=SHORT, revisions="latest")
    whole = Run(world).take_all()
    cut = Run(world).take_cut(np.random.default_rng(seed), restarts=0.2)
    assert_same(whole, cut)
    cut.checkpoint()
    assert cut.store == cut.parts()
    first = Run(replace(world, revisions="first")).take_all()
    assert sum(v.performance.late_revisions for v in whole.state.versions if v.performance is not None) > 0
    assert all(len(revised.row) > 3 for revised in whole.state.shadow.revised.values())
    assert whole.told.evidence != first.told.evidence
    assert whole.state.accounting()["matched"] == first.state.accounting()["matched"]


@pytest.mark.parametrize("revisions", ["first", "latest"])
def test_one_record_at_a_time_is_the_same_as_all_at_once(revisions):
    """The finest cutting of all, record by record, comes to the same as one batch."""
    world = World(seed=5, n=200, revisions=revisions)
    whole = Run(world).take_all()
    assert_same(whole, Run(world).take_cut(np.random.default_rng(1), largest=1))


@pytest.fixture(scope="module")
def corpus():
    """Return what happens in some fixed worlds of the kind that the properties are tried on."""
    rng = np.random.default_rng(3)
    worlds = [
        World(seed=int(rng.integers(2**31)), n=600, kind=kind, size=size, time=time, panes=panes, versions=versions)
        for kind in ("binary", "multiclass", "regression")
        for size, time, panes, versions in ((20, None, 1, True), (None, 25, 2, True), (20, 30, 1, False))
    ]
    return [Run(world).take_all() for world in worlds]


def test_much_happens_in_these_worlds(corpus):
    """A property that holds where nothing happens says nothing: alerts, triggers, baselines, takeovers all occur."""
    told = Counter()
    for run in corpus:
        told.update(triggers=len(run.told.triggers), baselines=len(run.told.baselines))
        told.update({word: sum(word in notice for notice in run.told.notices) for word in NOTICED})
        told.update({word: sum(word in incident for incident in run.told.incidents) for word in INCIDENTS})
        told.update({word: sum(word in evidence for evidence in run.told.evidence) for word in SEEN})
        told.update(run.state.accounting())
    assert [name for name in (*TOLD, *NOTICED, *INCIDENTS, *SEEN, *COUNTED) if told[name] < 3] == []


TOLD = ("triggers", "baselines")
NOTICED = ("Status.FIRING", "Status.RESOLVED", "Reason.SUPERSEDED", "Kind.SCHEMA", "Kind.DRIFT", "segment='c")
INCIDENTS = ("status='opened'", "status='updated'", "status='resolved'", "Telling.LASTS_LONG", "Telling.KIND_JOINED")
SEEN = (
    "Kind.ACCURACY", "non_inferiority", "'within_margin'", "coverage=0", "monitor='adwin'", "Level.UNDETERMINED",
    "'back_to_baseline'", "Kind.QUALITY",
)  # fmt: skip
COUNTED = (
    "late_predictions", "retimed_labels", "duplicate_predictions", "matched", "duplicate_labels", "revised_labels",
    "late_labels", "orphan_labels", "expired_predictions", "dead_not_json", "dead_time_in_future", "skipped_tombstone",
)  # fmt: skip
