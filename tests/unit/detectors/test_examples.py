"""The examples in the library's docstrings run and give what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

import anchorwatch_detectors.base

LIBRARY = Path(anchorwatch_detectors.base.__file__).parent
MODULES = sorted(
    ".".join(("anchorwatch_detectors", *path.relative_to(LIBRARY).with_suffix("").parts))
    for path in LIBRARY.rglob("*.py")
)
DETECTORS = [module for module in MODULES if ".sequential." in module or ".window." in module]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", [n for n in DETECTORS if n.rpartition(".")[2] not in {"binned", "cells"}])
def test_every_detector_has_an_example(name):
    assert doctest.testmod(importlib.import_module(name)).attempted > 0
