"""What is installed is what pyproject.toml asks for, exact and hashed."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


@pytest.fixture(scope="module")
def wanted(root):
    """Return the requirements of pyproject.toml by the lock that has to hold them."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [line for lines in project["project"]["optional-dependencies"].values() for line in lines]
    runtime = [Requirement(line) for line in project["project"]["dependencies"] + extras]
    return {RUNTIME: runtime, DEVELOPMENT: [Requirement(line) for line in project["dependency-groups"]["dev"]]}


def pins(text):
    """Read the pins of a lock: (name, version) of each, with its marker or None and the number of its hashes."""
    found = []
    for entry in re.findall(r"^[a-z0-9](?:[^\\\n]*\\\n)*[^\\\n]*", text, re.MULTILINE):
        requirement = Requirement(re.split(r"\\|--hash", entry)[0])
        (specifier,) = requirement.specifier
        found.append(
            (canonicalize_name(requirement.name), specifier.version, requirement.marker, entry.count("--hash="))
        )
    return found


def pinned_here(text):
    return {name: version for name, version, marker, _ in pins(text) if marker is None or marker.evaluate()}


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT])
def test_every_pin_is_exact_and_has_a_hash(root, lock):
    text = (root / lock).read_text(encoding="utf-8")
    assert len(pins(text)) > 20
    assert [name for name, _, _, hashes in pins(text) if not hashes] == []
    assert "@" not in re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT])
def test_the_lock_holds_what_pyproject_asks_for(root, wanted, lock):
    """Where this fails, a dependency was changed without `make lock`."""
    here = pinned_here((root / lock).read_text(encoding="utf-8"))
    missing = [
        str(requirement)
        for requirement in wanted[lock]
        if not requirement.specifier.contains(here.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]
    assert missing == []


def test_development_and_image_use_the_same_versions(root):
    runtime, development = (pinned_here((root / lock).read_text(encoding="utf-8")) for lock in (RUNTIME, DEVELOPMENT))
    both = runtime.keys() & development.keys()
    assert {name: (runtime[name], development[name]) for name in both if runtime[name] != development[name]} == {}


def test_a_lock_is_read_with_its_markers_and_hashes():
    first = "a==1 \\\n    --hash=sha256:0 \\\n    --hash=sha256:1\n    # via b\n"
    text = f"# comment\n{first}b-c==2 ; python_version < '3' \\\n    --hash=sha256:2\n"
    assert [(name, version, hashes) for name, version, _, hashes in pins(text)] == [("a", "1", 2), ("b-c", "2", 1)]
    assert pinned_here(text) == {"a": "1"}
