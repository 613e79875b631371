"""Whether the documents say what is there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import PurePath

import numpy as np
import pytest

from anchorwatch.engine.join import Join, remember
from anchorwatch.engine.stretches import Terms
from anchorwatch.engine.tables import Columns
from anchorwatch.events.reasons import Reason
from anchorwatch_detectors import registry

ROOTS = ("daemon/anchorwatch", "detectors/anchorwatch_detectors")
PAGES = ("README.md", "CONTRIBUTING.md", "docs/*.md")


def named_in_tree(text):
    """Return what the tree of a page names, as paths: a root at the margin, below it its entries."""
    found, root = set(), None
    for line in text.split("\n"):
        if line.startswith(ROOTS):
            root = line.split("/   ")[0].split("/ ")[0].rstrip("/")
        elif root is not None and (entries := re.match(r"    (\S+(?:  ?\S+\.\S+)*)", line)):
            found |= {f"{root}/{name.rstrip('/')}" for name in entries[1].split() if re.search(r"[./]", name)}
    return found


def parts(files):
    """Return the modules and packages right below the roots."""
    below = (PurePath(name).parts for name in files if name.startswith(ROOTS))
    return {"/".join(path[:3]) for path in below if path[-1] != "py.typed"}


def logged(tree):
    """Return the names of events that a module writes to the log."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called == "note" or re.fullmatch(r"(self\.)?_?log\.(say|warning|failure)|self\.say", called):
                yield node.args[0].value


def broken_links(page, text, anchors):
    """Return the links of a page to files that are not there, or to headings that those do not have."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        where = (page.parent / path).resolve() if path else page
        if not where.exists() or (anchor and anchor not in anchors(where)):
            broken.append(target)
    return broken


def anchors_of(path):
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def architecture(root):
    return (root / "docs/architecture.md").read_text(encoding="utf-8")


def test_the_map_of_the_house_names_every_part_and_none_that_is_not_there(architecture, files):
    assert named_in_tree(architecture) == parts(files)


def test_every_test_that_the_promises_rest_on_is_there(architecture, root):
    named = set(re.findall(r"`(tests/[\w/.]+)`", architecture))
    assert named
    assert [name for name in named if not (root / name).exists()] == []


def test_every_link_leads_somewhere(root):
    pages = [page for pattern in PAGES for page in root.glob(pattern)]
    assert len(pages) > 5
    broken = {page.name: broken_links(page, page.read_text(encoding="utf-8"), anchors_of) for page in pages}
    assert {page: links for page, links in broken.items() if links} == {}


def test_what_the_pages_show_is_what_the_program_says(root):
    """Where this fails, something that is printed or published was changed without `make docs`."""
    command = [sys.executable, str(root / "docs/write_blocks.py"), "check"]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stderr == ""


def test_the_page_of_detection_is_what_was_measured(root):
    """Where this fails, a benchmark of detection was run without `make docs`."""
    command = [sys.executable, str(root / "docs/write_detection.py"), "-"]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert (root / "docs/detection.md").read_text(encoding="utf-8") == written


def test_what_a_waiting_prediction_costs_is_what_it_is_said_to(root, architecture):
    events = [[1, 5, 7, 0, 0.5, 11], [2, 6, 8, 1, 0.25, 12]]
    ident, time, token = (np.array([e[i] for e in events], np.uint64) for i in (0, 1, 3))
    records = replace(
        Columns.empty(),
        ident=np.stack([ident, ident + np.uint64(9)], axis=1),
        time=time.astype(np.int64),
        version=np.zeros(2, np.int32),
        segments=np.array([[e[5]] for e in events], np.uint64),
        token=token,
        number=np.array([e[4] for e in events]),
    )
    known, _ = remember(Join(), Terms(10**6, 0), records)
    (run,) = known.predictions.runs
    scored = sum(field.nbytes for field in (run.key, run.place, *run.fields) if len(field) == len(records)) // 2
    size = scored - 16
    configuration = (root / "docs/configuration.md").read_text(encoding="utf-8")
    assert f"**{size} bytes**, 8 more for a score, 8 for each segment column" in configuration
    assert f"{size} bytes, and 8 for a score and for each segment column" in architecture


def test_every_reason_for_a_dead_letter_is_explained(root):
    page = (root / "docs/operations.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Dead letters$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row) if "anchorwatch" not in name}
    assert named == {str(reason) for reason in Reason}


def test_every_event_of_the_log_is_explained(root, shipped):
    page = (root / "docs/operations.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## The log$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"^\| `([a-z_]+)` \| [A-Z]", section, re.MULTILINE))
    written = {event for module in shipped for event in logged(module.tree)}
    assert "watching" in written
    assert named == written


def test_the_guide_names_every_sequential_detector(root):
    page = (root / "docs/configuration.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Windows$(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    named = {name for row in re.findall(r"^\| .*", section, re.MULTILINE) for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == set(registry.names("sequential"))


def test_a_tree_is_read_by_its_names():
    tree = "detectors/anchorwatch_detectors/   all\n    a.py  b.py   what c.py is\n    d/     more\n      deep.py\nx"
    assert named_in_tree(tree) == {f"detectors/anchorwatch_detectors/{name}" for name in ("a.py", "b.py", "d")}


def test_a_link_to_a_heading_that_is_not_there_is_broken(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A `b` c\n")
    text = "[1](page.md#a-b-c) [2](page.md#no) [3](no.md) [4](https://example.org) [5](#a-b-c)"
    assert broken_links(page, text, anchors_of) == ["page.md#no", "no.md"]
