"""Where things stand and how large they are."""

from __future__ import annotations

import ast

import pytest

LONGEST_FILE = 300
LONGEST_FUNCTION = 60  # a review asks for 40


def function_lengths(tree):
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {f"{node.lineno} {node.name}": node.end_lineno - node.lineno + 1 for node in functions}


def only_hands_on(tree):
    """Whether a module holds nothing but a docstring, imports and `__all__`."""
    own = [
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
    ]
    return bool(tree.body) and not own and any(isinstance(node, ast.ImportFrom) for node in tree.body)


def names_defined(tree):
    """Return the names of a module's own functions, classes and assignments that have no leading underscore."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    return {name for name in names if not name.startswith("_")}


def names_imported(tree):
    imports = (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name for node in imports for alias in node.names}


def declared_names(tree):
    """Return the names in the module's `__all__`, or None."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


def test_the_two_source_roots_are_no_packages(root):
    """An installed top-level package named daemon would overwrite python-daemon, which Airflow depends on."""
    assert [str(path) for name in ("daemon", "detectors") if (path := root / name / "__init__.py").exists()] == []


def test_the_two_source_roots_hold_one_package_each(root):
    entries = {
        name: {p.name for p in (root / name).iterdir() if p.name != "__pycache__"} for name in ("daemon", "detectors")
    }
    assert entries == {"daemon": {"anchorwatch"}, "detectors": {"anchorwatch_detectors"}}


def test_every_package_of_the_distribution_says_that_it_is_typed(root):
    assert (root / "daemon/anchorwatch/py.typed").exists()
    assert (root / "detectors/anchorwatch_detectors/py.typed").exists()


def test_every_module_says_in_its_docstring_what_it_is(shipped):
    assert [module.path for module in shipped if not ast.get_docstring(module.tree)] == []


def test_no_file_is_longer_than_can_be_read_at_once(shipped):
    lengths = {module.path: module.text.count("\n") for module in shipped}
    assert {path: n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen(shipped):
    lengths = {f"{m.path}:{name}": n for m in shipped for name, n in function_lengths(m.tree).items()}
    assert {place: n for place, n in lengths.items() if n > LONGEST_FUNCTION} == {}


def test_no_file_only_hands_on_what_others_define(shipped):
    assert [module.path for module in shipped if only_hands_on(module.tree)] == []


def wrongly_declared(tree):
    """Names in `__all__` that the module does not have, and public ones of its own that are not in `__all__`."""
    declared = declared_names(tree)
    if declared is None:
        return []
    own = names_defined(tree)
    return sorted((declared - own - names_imported(tree)) | (own - declared))


def test_what_a_module_declares_public_is_what_is_there(shipped):
    assert {m.path: names for m in shipped if (names := wrongly_declared(m.tree))} == {}


def test_no_two_test_files_share_a_name(tests):
    names = [module.path.rsplit("/", 1)[1] for module in tests]
    assert sorted({name for name in names if names.count(name) > 1} - {"conftest.py"}) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Doc."""\nfrom a import b\n__all__ = ["b"]', True),
        ("from a import b", True),
        ("from a import b\nc = b", False),
        ('"""Doc."""', False),
        ("", False),
    ],
)
def test_the_check_for_files_that_only_hand_on_tells_them_from_others(source, expected):
    assert only_hands_on(ast.parse(source)) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from a import b\n__all__ = ['b', 'C', 'X', 'f']\ndef f(): ...\nclass C: ...\nX: int = 1\n_z = 3", []),
        ("__all__ = ['f']\ndef f(): ...\nY = 2", ["Y"]),
        ("__all__ = ['f', 'g']\ndef f(): ...", ["g"]),
        ("def f(): ...", []),
    ],
)
def test_the_check_of_declared_names_finds_the_missing_and_the_forgotten(source, expected):
    assert wrongly_declared(ast.parse(source)) == expected


def test_the_check_of_lengths_counts_the_lines_of_methods_too():
    assert function_lengths(ast.parse("class C:\n    def f(self):\n        a = 1\n        return a")) == {"2 f": 3}
