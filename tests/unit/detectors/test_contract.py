"""Every registered detector keeps the contract, and none escapes it."""

import importlib
import inspect
from pathlib import Path

import pytest

import anchorwatch_detectors.registry
from anchorwatch_detectors import checks, registry
from anchorwatch_detectors.base import SequentialDetector, WindowTest
from anchorwatch_detectors.sequential.river_any import RiverAny

LIBRARY = Path(anchorwatch_detectors.registry.__file__).parent
OF_RIVER = [
    "river.drift.ADWIN",
    "river.drift.PageHinkley",
    "river.drift.binary.DDM",
    "river.drift.binary.EDDM",
    "river.drift.binary.FHDDM",
]
OTHER_SETTINGS = [
    ("adwin", {"delta": 0.2, "clock": 1, "max_buckets": 2, "min_window_length": 1, "grace_period": 0}),
    ("page_hinkley", {"threshold": 8.0, "mode": "down", "alpha": 1.0}),
    ("page_hinkley", {"threshold": 8.0, "mode": "up", "min_instances": 1}),
    ("hddm_a", {"two_sided_test": True}),
    ("cusum", {"mode": "down", "reference": 0.5, "threshold": 5.0}),
    ("glr", {"window": 7}),
    ("shiryaev_roberts", {"mode": "both"}),
    ("shiryaev_roberts", {"mode": "down"}),
    ("shiryaev_roberts_ranks", {"change": "location", "mode": "up"}),
    ("hddm_w", {"two_sided_test": True, "lambda_val": 0.1}),
    ("fhddm", {"short_window_size": 20, "confidence_level": 0.001}),
    ("stepd", {"mode": "up", "window_size": 12, "alpha": 0.0001}),
    ("rddm", {"warm_start": 1, "min_stable": 40, "max_concept": 90, "warning_limit": 20}),
    ("seed", {"block_size": 6, "compress_term": 4, "delta": 0.001}),
    ("optwin", {"most_window": 80, "confidence": 0.999999, "rigor": 1.0}),
    ("kswin", {"alpha": 0.0001, "window_size": 60, "stat_size": 20, "seed": 5}),
]


@pytest.mark.parametrize("name", [*registry.names("sequential"), *OF_RIVER])
@pytest.mark.parametrize("check", checks.for_sequential(), ids=lambda check: check.__name__)
def test_sequential_detectors_keep_the_contract(check, name):
    check(registry.sequential(name))


@pytest.mark.parametrize(("name", "parameters"), OTHER_SETTINGS)
@pytest.mark.parametrize("check", checks.for_sequential(), ids=lambda check: check.__name__)
def test_sequential_detectors_keep_the_contract_with_other_settings(check, name, parameters):
    check(registry.sequential(name, parameters))


@pytest.mark.parametrize("name", registry.names("window"))
@pytest.mark.parametrize("check", checks.for_window(), ids=lambda check: check.__name__)
def test_window_tests_keep_the_contract(check, name):
    check(registry.window(name))


@pytest.mark.parametrize(
    ("role", "base", "folder", "beside"),
    [("sequential", SequentialDetector, "sequential", {RiverAny}), ("window", WindowTest, "window", set())],
)
def test_no_detector_escapes_the_registry_and_so_the_contract(role, base, folder, beside):
    """Each concrete detector class of each module file is registered under its own name, and nothing else is."""
    written = set()
    for path in (LIBRARY / folder).glob("*.py"):
        module = importlib.import_module(f"anchorwatch_detectors.{folder}.{path.stem}")
        written |= {
            found
            for _, found in inspect.getmembers(module, inspect.isclass)
            if found.__module__ == module.__name__ and issubclass(found, base) and not inspect.isabstract(found)
        }
    registered = {registry.installed().find(role, name): name for name in registry.names(role)}
    assert set(registered) | beside == written
    assert all(found.name == name for found, name in registered.items())
    assert len(registered) == len(registry.names(role)) > 0


def test_each_check_is_a_sentence_and_is_yielded():
    for yielded, module in ((checks.for_sequential(), "contract_sequential"), (checks.for_window(), "contract_window")):
        text = (LIBRARY / f"{module}.py").read_text()
        assert len(yielded) == text.count("\ndef check_") >= 10
        assert all(check.__doc__.startswith("Check that ") and check.__doc__.endswith(".") for check in yielded)
