"""A sample of the predictions waits for labels, and everything else is watched as ever."""

import numpy as np
import pytest
from tests.property.worlds import Run, World

from anchorwatch.engine.sampling import sampled

WORLD = World(seed=4, n=500, wait=60, versions=False, segments=False)


@pytest.fixture(scope="module")
def runs():
    """Return the same stream with every prediction joined, and with half of them."""
    return Run(WORLD).take_all(), Run(World(**{**vars(WORLD), "sample": 0.5})).take_all()


def test_a_sample_holds_its_share_of_ids_and_the_smaller_one_lies_within_the_larger():
    ident = np.random.default_rng(1).integers(0, 2**64, (20_000, 2), np.uint64)
    tenth, half = sampled(ident, 0.1), sampled(ident, 0.5)
    assert abs(tenth.mean() - 0.1) < 0.01
    assert half[tenth].all()
    assert sampled(ident, 1.0).all()


def test_what_is_not_in_the_sample_is_counted_and_the_rest_matches_as_before(runs):
    whole, half = (run.state.accounting() for run in runs)
    assert 0.3 < half["matched"] / whole["matched"] < 0.7
    assert half["sampled_out_predictions"] > 150
    assert half["sampled_out_labels"] > 150
    assert "sampled_out_predictions" not in whole
    assert half["predictions"] == whole["predictions"]


def test_a_duplicate_is_known_for_one_outside_the_sample_too():
    """An id that comes twice within ten minutes is one prediction, in the sample or not."""
    none = World(**{**vars(WORLD), "sample": 1e-9})
    counts = Run(none).take_all().state.accounting()
    assert counts["duplicate_predictions"] > 5
    assert counts.get("matched", 0) == 0
    assert counts["predictions"] == sum(
        counts.get(name, 0) for name in ("late_predictions", "duplicate_predictions", "sampled_out_predictions")
    )


def test_all_predictions_are_watched_whatever_the_sample(runs):
    """Drift sees the same rows: the same baseline of predictions, and the same rows since."""
    whole, half = (run.state.versions[0].predictions for run in runs)
    assert whole.rows > 400
    assert half.rows == pytest.approx(whole.rows, abs=20)  # an id that comes again after ten minutes is a new one
