"""What the command line costs to start and whether it is documented."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import typer.main

from anchorwatch.cli.main import COMMANDS, app

HEAVY = {"river", "scipy", "numba", "pandas", "pyarrow", "kafka"}
ASK = """
import json, sys
from anchorwatch.cli.main import main
for line in json.loads(sys.argv[1]):
    try:
        main(line)
    except SystemExit as end:
        assert not end.code, (line, end.code)
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


def packages_imported_by(*lines):
    """Run command lines in a fresh interpreter and return the top-level packages that it has imported then."""
    command = [sys.executable, "-c", ASK, json.dumps(lines)]
    return set(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[-2]))


def command_lines(group, *, context=None):
    """Every command there is, as its words: ("baseline", "build")."""
    context = context or typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from ((name, *rest) for rest in command_lines(command))
        else:
            yield (name,)


def undocumented(pages, lines):
    """Return the command lines that no page writes out in code, as `anchorwatch baseline build`."""
    return [" ".join(line) for line in lines if not re.search(rf"anchorwatch {' '.join(line)}\b", pages)]


def test_help_imports_nothing_heavy():
    """It is there at once: `import river.drift` alone takes seconds."""
    imported = packages_imported_by(["--help"])
    assert "anchorwatch" in imported
    assert imported & HEAVY == set()


def test_the_help_of_every_command_imports_nothing_heavy():
    assert packages_imported_by(*([*line, "--help"] for line in command_lines(app()))) & HEAVY == set()


def test_what_is_imported_is_seen():
    assert "sqlite3" in packages_imported_by(["version"])


def test_every_command_says_what_it_does():
    assert [name for name, about in COMMANDS.items() if not about.endswith(".")] == []


def test_every_command_is_shown_on_the_first_page(root):
    pages = (root / "README.md").read_text(encoding="utf-8")
    assert undocumented(pages, [(name,) for name in COMMANDS]) == []


def test_the_page_of_all_commands_is_what_they_say_themselves(root):
    """Where this fails, a command was changed without `make docs`."""
    command = [sys.executable, str(root / "docs/write_commands.py"), "-"]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert (root / "docs/commands.md").read_text(encoding="utf-8") == written


@pytest.mark.parametrize(
    ("page", "missing"),
    [("`anchorwatch run x`", ["baseline build"]), ("anchorwatch baseline builds", ["run", "baseline build"])],
)
def test_a_command_that_no_page_shows_is_found(page, missing):
    assert undocumented(page, [("run",), ("baseline", "build")]) == missing
