"""What the house tests look at: the files that are, or are about to be, in the repository."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    """One Python file of the project."""

    path: str
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def files():
    """Every file that git has or would take with `git add`, relative to the root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted({name for name in listing.split("\0") if name and (ROOT / name).is_file()})


@pytest.fixture(scope="session")
def modules(files):
    """Every Python file, parsed."""
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in files if name.endswith(".py")}
    return [Module(name, text, ast.parse(text, name)) for name, text in texts.items()]


@pytest.fixture(scope="session")
def shipped(modules):
    """Every Python file that a user gets."""
    return chosen(modules, "daemon/", "detectors/")


@pytest.fixture(scope="session")
def tests(modules):
    """Every Python file below tests/."""
    return chosen(modules, "tests/")


def chosen(modules, *roots):
    found = [module for module in modules if module.path.startswith(roots)]
    assert found, f"no module under {roots}: the house tests would pass without looking at anything"
    return found
