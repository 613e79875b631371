"""The page of detection tells what was measured, and what is undefined as NaN."""

import importlib.util
import math
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("write_detection", ROOT / "docs/write_detection.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def cell(name, value, theirs, run_length):
    against = {"name": "clairvoyant CUSUM", "value": theirs, "run_length": run_length}
    return {"name": name, "value": value, "against": against, "parts": name.split(", ")}


@pytest.fixture
def rows():
    return [
        cell("good, 1 in 1,000, errors 0.1 x 2", 110.0, 100.0, 123_456.0),
        cell("good, 1 in 1,000, errors 0.1 x 4", 24.2, 20.0, 123_456.0),
        cell("adwin, as shipped, errors 0.1 x 2", 150.0, 100.0, 14_400_000.0),
        cell("adwin, as shipped, errors 0.1 x 4", math.nan, 20.0, 14_400_000.0),
        cell("good, 1 in 1,000, normal + 1", 30.0, 20.0, 950.0),
    ]


def test_a_detector_has_a_row_for_each_dial_with_the_mean_and_the_worst_of_its_ratios(writer, rows):
    lines = writer.delays(rows).splitlines()
    assert "| good | 1 in 1,000 | 120k | 1.154 | 1.21 | 1.10 | 1.21 |" in lines
    assert "| good | 1 in 1,000 | 950 | 1.500 | 1.50 | 1.50 |" in lines


def test_what_is_undefined_is_nan_and_so_is_a_mean_over_it(writer, rows):
    assert "| adwin * | as shipped | 14M | NaN | NaN | 1.50 | NaN |" in writer.delays(rows).splitlines()


def test_alarms_stand_beside_their_bound_and_none_at_all_is_a_run_length_that_is_longer(writer):
    def alarms(name, count, bound):
        against = {"name": "99 % bound", "value": bound, "asked": bound, "values": 2_000_000}
        return {"value": count, "against": against, "parts": name.split(", ")}

    page = writer.false_alarms(
        [
            alarms("good, 1 in 1,000, normal, smallest shift 0.1", 5.0, 12.0),
            alarms("cusum, as shipped, normal, smallest shift 0", 0.0, math.nan),
            alarms("kswin, as shipped, normal, smallest shift 0", 500.0, math.nan),
        ]
    ).splitlines()
    assert "| good | normal | 0.1 | 5 | 12 | 12 |" in page
    assert "| cusum | over 2M |" in page
    assert "| kswin * | 4k |" in page


def test_the_speed_is_told_as_it_was_measured(writer):
    row = {"name": "adwin, one stream", "value": 60_000_000, "against": {"value": 1_500_000}, "ratio": 40.2}
    assert "| adwin, one stream | 60,000,000 | 1,500,000 | 40 |" in writer.speed([row]).splitlines()
