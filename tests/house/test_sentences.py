"""How the tests themselves are written."""

from __future__ import annotations

import ast

import pytest

FEWEST_WORDS = 4


def collected(tree):
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    functions = (node for body in bodies for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node for node in functions if node.name.startswith("test_")]


def says_nothing(function):
    """Whether neither the name nor a docstring tells what behaviour a test states."""
    return not ast.get_docstring(function) and len(function.name.split("_")) - 1 < FEWEST_WORDS


def cannot_fail(function):
    """Whether a test holds no assert, no raise, no `pytest.raises` and no call at all that could check something."""
    checks = (ast.Assert, ast.Raise, ast.Call)
    return not any(isinstance(node, checks) for node in ast.walk(function))


def stands_in(tree):
    """Lines that put a mock in place of a part, or change a part under the test's feet."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            if names & {"unittest.mock", "mock", "pytest_mock"}:
                yield node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"monkeypatch.setattr", "mocker.patch"}:
            yield node.lineno


def left_out(tree):
    """Lines that skip a test or expect it to fail."""
    names = {"pytest.skip", "pytest.xfail", "pytest.importorskip"}
    names |= {f"pytest.mark.{name}" for name in ("skip", "skipif", "xfail")}
    return sorted({n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute) and ast.unparse(n) in names})


def test_every_test_states_a_behaviour(tests):
    assert [f"{m.path}:{f.name}" for m in tests for f in collected(m.tree) if says_nothing(f)] == []


def test_every_test_can_fail(tests):
    assert [f"{m.path}:{f.name}" for m in tests for f in collected(m.tree) if cannot_fail(f)] == []


def test_no_test_puts_a_mock_in_place_of_a_part(tests):
    """Fakes of the shipped test kit and real parts only: what a mock returns is what the test's author believed."""
    assert [f"{m.path}:{line}" for m in tests for line in stands_in(m.tree)] == []


def test_no_test_is_left_out(tests):
    """A test that cannot run here fails and says why; the offline run leaves the broker's tests out by name."""
    assert [f"{m.path}:{line}" for m in tests for line in left_out(m.tree)] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def test_it(): assert x", [True, False]),
        ("def test_it():\n    'It is what it says.'\n    assert x", [False, False]),
        ("def test_a_thing_is_so(): pass", [False, True]),
        ("def test_a_thing_is_so(): assert x", [False, False]),
    ],
)
def test_an_empty_test_or_name_is_found(source, expected):
    (function,) = collected(ast.parse(source))
    assert [says_nothing(function), cannot_fail(function)] == expected


@pytest.mark.parametrize(
    ("source", "mocks", "skips"),
    [
        ("from unittest.mock import Mock", 1, 0),
        ("import unittest.mock", 1, 0),
        ("monkeypatch.setattr(a, 'b', 1)", 1, 0),
        ("monkeypatch.setenv('A', 'b')", 0, 0),
        ("@pytest.mark.skipif(True)\ndef test_a(): ...", 0, 1),
        ("pytest.importorskip('a')", 0, 1),
        ("@pytest.mark.broker\ndef test_a(): ...", 0, 0),
    ],
)
def test_mocks_and_skips_are_found(source, mocks, skips):
    tree = ast.parse(source)
    assert (len(list(stands_in(tree))), len(left_out(tree))) == (mocks, skips)
