"""A daemon takes its models with all compiled that a stream would wait for."""

import subprocess
import sys

PROGRAM = """
import sys

import numpy as np

from anchorwatch.app import warmed_models_of
from anchorwatch.settings.loader import load
from anchorwatch_detectors import recoverable
from anchorwatch_detectors.views import Table


def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("anchorwatch_detectors.kernels.")]
    kernels = {found for module in modules for found in vars(module).values() if hasattr(found, "signatures")}
    return sum(len(found.signatures) for found in kernels)


(model,) = warmed_models_of(load(sys.stdin.read(), {}), None)
before = compiled()
for lookout in model.watch.lookouts():
    lookout.detector.start(2, 1).update(np.random.default_rng(1).random((1, 500)), np.arange(500) % 2)
print("detectors", compiled() - before)
rng = np.random.default_rng(2)
words, number = np.zeros(600, np.uint64), rng.random(600)
label = rng.integers(1, 3, 600).astype(np.uint64)
table = Table(rng.normal(size=(2, 600)), np.empty((0, 600), np.uint64), words, number, label, rng.random(600))
assert recoverable.of_scores(table, 2) is not None
print("learners", compiled() - before)
"""

CONFIGURATION = """
models:
  fraud:
    predictions: {topic: p, id: id, features: {amount: numeric}, prediction: {kind: binary, score: s}}
    labels: {topic: l, id: id, value: y, wait: 1h}
    baseline: {first: 1000}
"""


def after_a_start(configuration):
    """Return how many kernels a process of its own compiles or loads behind the start, when they are first used."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, input=configuration, capture_output=True, text=True, check=True)
    return {name: int(n) for name, n in (line.split() for line in done.stdout.splitlines())}


def test_a_model_that_may_ask_for_retrainings_compiles_nothing_behind_the_start():
    """Neither for its detectors nor for the estimate before a trigger."""
    assert after_a_start(CONFIGURATION + "    retrain: {when: accuracy worse}\n") == {"detectors": 0, "learners": 0}


def test_what_only_a_retraining_needs_is_not_compiled_where_nobody_asks_for_one():
    found = after_a_start(CONFIGURATION)
    assert found["detectors"] == 0
    assert found["learners"] > 0
