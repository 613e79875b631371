"""Detectors are found by name; what is wrong with a name is told with what was meant."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from anchorwatch_detectors import registry
from anchorwatch_detectors.sequential.adwin import Adwin
from anchorwatch_detectors.sequential.hddm_a import HddmA
from anchorwatch_detectors.sequential.river_any import RiverAny
from anchorwatch_detectors.window.psi import Psi


def third_party(name, value):
    return EntryPoint(name=name, value=value, group=registry.GROUP)


def test_a_name_and_parameters_make_a_detector():
    assert registry.sequential("adwin", {"delta": 0.1}) == Adwin(delta=0.1)
    assert registry.sequential("river.drift.ADWIN", {"delta": 0.1}) == RiverAny("river.drift.ADWIN", {"delta": 0.1})
    assert registry.window("psi", {"bins": 5}) == Psi(bins=5)


@pytest.mark.parametrize(
    ("make", "name", "parameters", "told"),
    [
        (registry.sequential, "adwinn", {}, "did you mean 'adwin'"),
        (registry.sequential, "ADWIN", {}, "did you mean 'adwin'"),
        (registry.sequential, "page-hinkley", {}, "did you mean 'page_hinkley'"),
        (registry.sequential, "zzz", {}, "known are: adwin, .*hddm_a"),
        (registry.sequential, "psi", {}, "'psi' is a window detector, not a sequential one"),
        (registry.window, "adwin", {}, "'adwin' is a sequential detector, not a window one"),
        (registry.window, "kolmogorov", {}, "did you mean 'kolmogorov_smirnov'"),
        (registry.window, "river.drift.ADWIN", {}, "no window detector"),
        (registry.sequential, "adwin", {"detla": 1}, "did you mean 'delta'"),
        (registry.sequential, "adwin", {"delta": 2}, "delta must be"),
        (registry.window, "psi", {"zzz": 1}, "psi has no parameter 'zzz'"),
    ],
)
def test_a_wrong_name_or_parameter_is_told_with_what_was_meant(make, name, parameters, told):
    with pytest.raises(ValueError, match=told):
        make(name, parameters)


def test_third_parties_join_by_entry_point_and_their_class_tells_their_role():
    found = registry.Registry(
        [
            third_party("mine", "anchorwatch_detectors.sequential.hddm_a:HddmA"),
            third_party("ours", "anchorwatch_detectors.window.psi:Psi"),
        ]
    )
    assert "mine" in found.names("sequential")
    assert "mine" not in found.names("window")
    assert found.find("sequential", "mine") is HddmA
    assert found.find("window", "ours") is Psi
    with pytest.raises(ValueError, match="'ours' is a window detector"):
        found.find("sequential", "ours")


@pytest.mark.parametrize(
    "entries",
    [
        [third_party("adwin", "somebody.module:Adwin")],
        [third_party("psi", "somebody.module:Psi")],
        [third_party("mine", "somebody.module:Mine"), third_party("mine", "other.module:Mine")],
    ],
)
def test_a_name_that_is_taken_twice_is_an_error_that_names_both(entries):
    with pytest.raises(ValueError, match=r"taken twice, by .*module:"):
        registry.Registry(entries)


def test_an_entry_point_that_is_no_detector_is_told():
    found = registry.Registry([third_party("mine", "pathlib:Path")])
    with pytest.raises(ValueError, match="mine = pathlib:Path"):
        found.names("sequential")


def test_names_are_listed_without_loading_anything_heavy_and_adwin_runs_without_river():
    """Numba is loaded with the first block, and river, which takes seconds, only where its objects are wanted."""
    program = """
import sys
from anchorwatch_detectors import registry
registry.names("sequential"), registry.names("window")
registry.sequential("hddm_a"), registry.sequential("page_hinkley"), registry.sequential("adwin").start(1, 1)
assert not {"numba", "river", "scipy", "pandas"} & set(sys.modules), "loaded too early"
import numpy as np
registry.sequential("adwin").start(1, 1).update(np.zeros((1, 100)))
assert "numba" in sys.modules
assert not {"river", "scipy.stats", "pandas"} & set(sys.modules), "loaded without need"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
