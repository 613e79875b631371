"""What a user installs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser

import pytest


def build(source, target, kind):
    """Build with the backend that pyproject.toml names, in this environment: no network is needed."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(root, tmp_path_factory):
    return build(root, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Return the wheel, built from the sdist as an installer would."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    with zipfile.ZipFile(build(source, tmp_path_factory.mktemp("wheel"), "wheel")) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_every_module_and_nothing_else(wheel, files):
    """Nothing named daemon, no tests: two packages and the distribution's own description."""
    roots = ("daemon/", "detectors/")
    ours = {name.split("/", 1)[1] for name in files if name.startswith(roots)}
    inside = {name for name in wheel if ".dist-info/" not in name}
    assert inside == ours
    assert {name.split("/")[0] for name in inside} == {"anchorwatch", "anchorwatch_detectors"}


def test_the_wheel_tells_type_checkers_that_both_packages_are_typed(wheel):
    assert {"anchorwatch/py.typed", "anchorwatch_detectors/py.typed"} <= wheel.keys()


def test_the_wheel_brings_its_licence_and_the_command(wheel):
    described = {name.split("/", 1)[1]: content for name, content in wheel.items() if ".dist-info/" in name}
    metadata = Parser().parsestr(described["METADATA"].decode())
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert b"Version 2.0, January 2004" in described["licenses/LICENSE"]
    assert b"anchorwatch = anchorwatch.cli.main:main" in described["entry_points.txt"]
