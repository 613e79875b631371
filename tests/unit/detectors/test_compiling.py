"""Kernels are compiled once, kept on disk where there is a place, and run where there is none."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from anchorwatch_detectors import recoverable, registry, warming
from anchorwatch_detectors.kernels import compiling
from anchorwatch_detectors.views import Table

KERNEL = """
from anchorwatch_detectors.kernels.compiling import kernel

@kernel
def answer(values):
    total = 0.0
    for value in values:
        total += value * {factor}
    return total
"""
NOWHERE = Path("/dev/null/nowhere")


def loaded(path, factor):
    """Write a file of kernels and return it as a module."""
    path.write_text(KERNEL.format(factor=factor))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kept_in(tmp_path, monkeypatch):
    """Return the folder where kernels of this test are kept."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    yield tmp_path / "kept"
    compiling.cache_folder.cache_clear()
    compiling._digest.cache_clear()


def test_what_was_compiled_is_kept_and_found_again(tmp_path, kept_in):
    assert loaded(tmp_path / "one.py", 2).answer(np.ones(3)) == 6.0
    assert list(kept_in.glob("kernels-*/*.nbi")) != []
    again = loaded(tmp_path / "one.py", 2)
    assert again.answer(np.ones(3)) == 6.0
    assert sum(again.answer.stats.cache_hits.values()) == 1
    assert sum(again.answer.stats.cache_misses.values()) == 0


def test_a_changed_kernel_is_not_served_by_what_the_old_one_left(tmp_path, kept_in):
    loaded(tmp_path / "one.py", 2).answer(np.ones(3))
    compiling.cache_folder.cache_clear()
    compiling._digest.cache_clear()
    assert loaded(tmp_path / "one.py", 3).answer(np.ones(3)) == 9.0
    assert len(list(kept_in.glob("kernels-*"))) == 2


def test_a_change_of_a_kernel_changes_what_is_kept_of_those_that_call_it(tmp_path):
    package = Path(compiling.__file__).parent
    alone, calling = tmp_path / "alone.py", tmp_path / "calling.py"
    alone.write_text("x = 1\n")
    calling.write_text("from anchorwatch_detectors.kernels.block import gather\nx = 1\n")
    assert compiling._digest(str(alone)) != compiling._digest(str(calling))
    assert compiling._digest(str(package / "adwin.py")) != compiling._digest(str(package / "ddm.py"))


def test_a_kernel_runs_where_what_is_compiled_can_no_longer_be_written(tmp_path, kept_in):
    module = loaded(tmp_path / "one.py", 2)
    shutil.rmtree(kept_in)
    kept_in.write_text("not a folder")
    assert module.answer(np.ones(3)) == 6.0


def test_the_first_folder_that_is_filled_or_can_be_written_is_taken(tmp_path):
    filled, empty = tmp_path / "filled", tmp_path / "empty"
    filled.mkdir()
    (filled / "one.nbi").write_bytes(b"")
    assert compiling.first_usable([NOWHERE, empty, filled]) == empty
    assert compiling.first_usable([NOWHERE, filled, empty]) == filled
    assert compiling.first_usable([NOWHERE]) is None


def test_a_kernel_runs_where_there_is_no_place_to_keep_it(tmp_path):
    """A copy of the package whose `__pycache__` is a file, for a user whose cache folder cannot be."""
    package = Path(compiling.__file__).parent
    copied = tmp_path / "anchorwatch_detectors" / "kernels"
    copied.mkdir(parents=True)
    shutil.copy(package / "compiling.py", copied)
    (copied / "__pycache__").write_text("no folder")
    (tmp_path / "one.py").write_text(KERNEL.format(factor=2))
    program = """
import numpy as np, one
from anchorwatch_detectors.kernels.compiling import cache_folder
assert cache_folder(one.__file__) is None
assert one.answer(np.ones(3)) == 6.0
"""
    environment = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(NOWHERE), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", registry.names("sequential"))
def test_after_warming_a_detector_compiles_nothing_more(name):
    """Neither its first block, with or without groups, nor its first alarm waits for a compiler."""
    warming.warm(registry.sequential(name))
    before = compiled()
    state = registry.sequential(name).start(2, 1)
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.random(400) < 0.1, rng.random(400) < 0.9]).astype(float)
    state.update(values[np.newaxis])
    state.update(values[np.newaxis], rng.integers(-1, 2, 800))
    assert compiled() == before


def test_after_warming_an_estimate_compiles_nothing_more():
    """Neither of values nor of few or many classes."""
    warming.warm_learners()
    before = compiled()
    rng = np.random.default_rng(2)
    numeric, words, number = rng.normal(size=(2, 600)), np.zeros(600, np.uint64), rng.random(600)
    for classes in (2, 3):
        label = rng.integers(1, classes + 1, 600).astype(np.uint64)
        table = Table(numeric, np.empty((0, 600), np.uint64), words, number, label, rng.random(600))
        assert recoverable.of_classes(table) is not None
    assert recoverable.of_values(table) is not None
    assert compiled() == before


def compiled():
    """Return how many kernels of this process have been compiled or loaded, for all their types."""
    modules = [module for name, module in sys.modules.items() if name.startswith("anchorwatch_detectors.kernels.")]
    kernels = {found for module in modules for found in vars(module).values() if hasattr(found, "signatures")}
    return sum(len(found.signatures) for found in kernels)
