"""What is kept to estimate a retraining does not depend on how the stream was cut, and is what came."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.property.worlds import Run, World

from anchorwatch.engine.recovery import estimator
from anchorwatch.engine.shadow import Labelled
from anchorwatch.events.identity import identify

SMALL = {"retrain_estimate": {"waiting": 100, "rows": 500}}
CROWDED = World(seed=1, n=700, wait=600, versions=False, segments=False, extra=SMALL)
"""Several hundred predictions wait at a time, and a hundred may."""


def rows(run, code=0):
    pieces = run.state.shadow.labelled[code]
    return Labelled.concat([pieces[i] for i in sorted(pieces)])


@pytest.mark.parametrize(("seed", "kind"), [(1, "binary"), (2, "multiclass"), (3, "regression"), (4, "binary")])
def test_cutting_and_restarts_change_nothing_in_a_thinned_sample(seed, kind):
    """Where more predictions wait than may, the same ones stay, and the same estimate comes of them."""
    world = replace(CROWDED, seed=seed, kind=kind)
    whole = Run(world).take_all()
    cut = Run(world).take_cut(np.random.default_rng(seed), restarts=0.1)
    assert whole.state.shadow.counted[0] < 0.9 * whole.state.accounting()["matched"]
    assert cut.parts() == whole.parts()
    asked = ("1", 0, 10**9)
    estimates = [estimator(run.watch, run.state)(*asked) for run in (whole, cut)]
    assert estimates[0] == estimates[1]


def test_no_more_wait_than_may():
    """However the stream goes on, at most `waiting` predictions are held, and those of the block just begun."""
    run, held = Run(CROWDED), []
    while run.rest:
        run.take([(partition, 20) for partition in run.rest])
        held.append(sum(int(mask.sum()) for mask in run.state.shadow.open.values()))
    assert 50 < max(held) <= 100 + run.watch.keeping.block


def test_every_labelled_prediction_is_kept_with_its_features_where_there_is_room():
    """Of each matched prediction there is one row, with the numbers of its event; wrong types are missing."""
    world = World(seed=3, n=300, versions=False)
    run = Run(world).take_all()
    kept = rows(run)
    assert len(kept) == run.state.accounting()["matched"]
    events = [json.loads(v) for log in world.records().values() for v in log if v and v.startswith(b'{"id": "p')]
    hours = {}
    for event in events:
        if "truth" not in event:
            hours.setdefault(event["id"], set()).add(event.get("hour"))
    names = list(hours)
    place = {tuple(ident): name for name, ident in zip(names, identify(names).tolist(), strict=True)}
    tables = run.state.shadow.waiting.values()
    assert run.watch.shape.numeric[: len(run.watch.keeping.numeric)] == ("amount", "hour")
    for table in tables:
        for ident, hour in zip(table.ident.tolist(), table.numeric[1].tolist(), strict=True):
            assert (None if np.isnan(hour) else int(hour)) in hours[place[tuple(ident)]]


def test_a_model_without_a_retrain_policy_keeps_nothing():
    """Nobody would ask for the estimate."""
    run = Run(World(seed=3, n=100, extra={"retrain": []})).take_all()
    assert run.state.shadow is None
    assert not [name for name in run.parts() if name.startswith("shadow")]


def test_only_the_newest_rows_are_kept():
    """However many labels come, the pieces stay within what an estimate may ask for."""
    world = World(seed=3, n=1500, versions=False, revisions="latest", extra={"retrain_estimate": {"rows": 500}})
    run = Run(world).take_all()
    kept, keeping = rows(run), run.watch.keeping
    assert run.state.accounting()["matched"] > 1100
    assert keeping.rows <= len(kept) <= keeping.kept + 256
    assert kept.order[-1] > 1000
    revised, counts = run.state.shadow.revised[0].row, run.state.accounting()
    assert revised.min() >= run.state.shadow.counted[0] - len(kept)
    assert 0 < len(revised) < counts["revised_labels"]


@pytest.mark.parametrize("revisions", ["first", "latest"])
@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_the_estimate_in_a_trigger_does_not_depend_on_the_cutting(kind, revisions):
    """It is asked for in the middle of a release, and sees the labels until then and no later ones."""
    policy = {"when": ["accuracy", "drift"], "min_labels": 220, "cooldown": "0s"}
    usual = {"n": 900, "first": 120, "versions": False, "segments": False, "wait": 60}
    world = World(seed=1, kind=kind, revisions=revisions, **usual, extra={"retrain": policy})
    whole = Run(world).take_all()
    cut = Run(world).take_cut(np.random.default_rng(5), restarts=0.05)
    assert any("estimate=Recovery(" in trigger for trigger in whole.told.triggers)
    assert cut.told.triggers == whole.told.triggers
    assert cut.parts() == whole.parts()
