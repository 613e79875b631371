"""What no file of the repository may contain."""

from __future__ import annotations

import re

import pytest

# Written in parts: this file is looked at too.
REGISTRIES = [
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "registry" + r"\.npmjs",
    "repo1?" + r"\.maven",
    "maven" + r"\.(org|google|apache)",
    r"crates\." + r"io",
    r"proxy\." + r"golang",
    r"conda\." + r"anaconda",
    r"(deb|security|snapshot)\." + r"debian",
    r"(archive|security)\." + r"ubuntu",
    r"(gh|g)cr\." + r"io|quay\." + r"io|docker\." + "io",
]
OUTSIDE = ["/" + "work/", "/" + "farm/", "/" + "root/", "shared/" + r"\w+\.md", r"\.\./" + "shared"]


def lines_with(patterns, text):
    pattern = re.compile("|".join(patterns))
    return [number for number, line in enumerate(text.split("\n"), 1) if pattern.search(line)]


def texts(root, files):
    for name in files:
        content = (root / name).read_bytes()
        if b"\0" not in content[:8192]:
            yield name, content.decode("utf-8", errors="replace")


def test_no_file_names_the_host_of_a_package_registry(root, files):
    """Packages come by name from whatever index the machine is set up for: a mirror, a company's own."""
    assert [f"{name}:{n}" for name, text in texts(root, files) for n in lines_with(REGISTRIES, text)] == []


def test_no_file_points_outside_the_project(root, files):
    assert [f"{name}:{n}" for name, text in texts(root, files) for n in lines_with(OUTSIDE, text)] == []


def test_no_link_leads_outside_the_project(root, files):
    links = [root / name for name in files if (root / name).is_symlink()]
    assert [str(link) for link in links if not link.resolve().is_relative_to(root.resolve())] == []


def test_every_text_ends_with_one_line_break_and_has_no_trailing_space(root, files):
    texts_seen = dict(texts(root, files))
    written = {n: t for n, t in texts_seen.items() if n.endswith((".md", ".py", ".toml", ".yaml", ".yml", "Makefile"))}
    assert written
    assert [n for n, t in written.items() if t and (not t.endswith("\n") or t.endswith("\n\n"))] == []
    assert [f"{n}:{i}" for n, t in written.items() for i in lines_with([r"[ \t]$"], t)] == []


def dead_links(page):
    """Return the relative links of a Markdown page that lead nowhere."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = (target for target in targets if "://" not in target and not target.startswith("mailto:"))
    return [target for target in local if not (page.parent / target).exists()]


def test_every_relative_link_of_a_page_leads_to_a_file(root, files):
    pages = [name for name in files if name.endswith(".md")]
    assert pages
    assert {name: dead for name in pages if (dead := dead_links(root / name))} == {}


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("[a](page.md) [b](gone.md#part) [c](#here) [d](https://example.com/x)\n", encoding="utf-8")
    assert dead_links(page) == ["gone.md"]


@pytest.mark.parametrize(
    "line",
    [
        "see py" + "pi.org/project/x",
        "files.python" + "hosted.org",
        "https://repo1." + "maven" + ".org/maven2",
        "ghcr." + "io/a/b",
    ],
)
def test_the_host_of_a_registry_is_found(line):
    assert lines_with(REGISTRIES, f"first\n{line}\n") == [2]


@pytest.mark.parametrize("line", ["see ../" + "shared/x", "/" + "work/main/x.py", "shared/" + "design.md"])
def test_a_place_outside_the_project_is_found(line):
    assert lines_with(OUTSIDE, line) == [1]


@pytest.mark.parametrize("line", ["image: apache/kafka:4.1.1", "frameworks/x", "kafka.apache.org/documentation"])
def test_harmless_lines_are_let_through(line):
    assert lines_with(REGISTRIES + OUTSIDE, line) == []
