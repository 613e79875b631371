"""What no line of the shipped code may do."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest

CLOCK = "daemon/anchorwatch/clock.py"
LAST_RESORT = "daemon/anchorwatch/cli/main.py"  # turns what nobody foresaw into exit code 70
LOGGING = ("daemon/anchorwatch/cli/", "daemon/anchorwatch/app.py", "daemon/anchorwatch/telemetry.py")
HEARS = "daemon/anchorwatch/transport/kafka_connection.py"  # kafka-python tells only its log why it cannot connect
CLOCK_READS = {
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")),
    *(f"time.{name}" for name in ("process_time", "sleep", "localtime", "gmtime", "ctime", "strftime")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    "datetime.date.today",
    "pandas.Timestamp.now",
    "pandas.Timestamp.utcnow",
    "pandas.Timestamp.today",
}
UNSAFE = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def full_names(tree):
    """Every attribute or name in use, by the full name that the module's imports give it, with its line."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known.update(
                {a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names}
            )
        elif isinstance(node, ast.ImportFrom) and node.module:
            known.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, *rest = ast.unparse(node).split(".")
            if first in known:
                yield ".".join([known[first], *rest]), node.lineno


def clock_reads(tree):
    return sorted({line for name, line in full_names(tree) if name in CLOCK_READS})


def imported(tree):
    """Top-level packages that a module imports, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0], node.lineno


def broad_excepts(tree):
    """Lines that catch everything and do not hand it on as it is: `except Exception`, `suppress(Exception)`."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    caught = [(node.type, node.lineno) for node in handlers if ast.unparse(node.body[-1]) != "raise"]
    caught += [(argument, call.lineno) for call in suppressions(tree) for argument in call.args]
    broad = {"Exception", "BaseException"}
    return sorted(
        line for kind, line in caught if kind is None or broad & {ast.unparse(e) for e in getattr(kind, "elts", [kind])}
    )


def suppressions(tree):
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in calls if ast.unparse(call.func) in {"contextlib.suppress", "suppress"}]


def swallowed(text):
    """Lines where an exception ends without a trace: nothing raised, returned or kept, and no comment that says why."""
    tree = ast.parse(text)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    commented = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    spans = [
        (node.lineno, node.end_lineno) for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and idle(node)
    ]
    spans += [(call.lineno - 1, call.end_lineno) for call in suppressions(tree)]
    return sorted(last for first, last in spans if not commented & set(range(first, last + 1)))


def idle(handler):
    """Whether a handler only passes, goes on, or writes a log line."""
    return all(
        isinstance(node, ast.Pass | ast.Continue)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Expr) and "log" in ast.unparse(node.value).split("(")[0].lower())
        for node in handler.body
    )


def prints(tree):
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return sorted(call.lineno for call in calls if ast.unparse(call.func) == "print")


def places(modules, find):
    return [f"{module.path}:{line}" for module in modules for line in find(module)]


def test_only_clock_py_reads_a_clock(shipped):
    """Time is an argument: a replay gives what the live run gave."""
    assert places([m for m in shipped if m.path != CLOCK], lambda m: clock_reads(m.tree)) == []


def test_nothing_catches_every_exception(shipped):
    assert places([m for m in shipped if m.path != LAST_RESORT], lambda m: broad_excepts(m.tree)) == []


def test_no_exception_ends_without_a_trace_or_a_written_reason(shipped):
    assert places(shipped, lambda m: swallowed(m.text)) == []


def test_nothing_is_stored_or_read_in_a_format_that_can_run_code(shipped):
    assert places(shipped, lambda m: [line for name, line in imported(m.tree) if name in UNSAFE]) == []
    assert [m.path for m in shipped if "allow_pickle=True" in m.text or "_pickle(" in m.text] == []


def test_only_the_command_line_prints(shipped):
    assert places([m for m in shipped if "/cli/" not in m.path], lambda m: prints(m.tree)) == []


def test_only_the_top_of_the_service_logs(shipped):
    """Everything below returns or raises, so that its caller decides."""
    below = [m for m in shipped if not m.path.startswith((*LOGGING, HEARS))]
    assert places(below, lambda m: [line for name, line in imported(m.tree) if name in {"logging", "structlog"}]) == []


def test_clock_reads_are_found_under_any_name_of_their_module():
    source = """
        import time
        import datetime as dt
        from datetime import datetime
        from time import monotonic as tick
        a = time.time_ns()
        b = dt.datetime.now(dt.UTC)
        c = datetime.now(dt.UTC)
        d = tick
        e = clock.now()
        f = datetime.fromtimestamp(0, dt.UTC)
    """
    assert clock_reads(ast.parse(source.replace("\n        ", "\n"))) == [6, 7, 8, 9]


@pytest.mark.parametrize(
    ("handler", "broad", "silent"),
    [
        ("except Exception:\n    return None", True, False),
        ("except:\n    return None", True, False),
        ("except (ValueError, BaseException) as error:\n    raise OSError from error", True, False),
        ("except BaseException:\n    close()\n    raise", False, False),
        ("except ValueError:\n    pass", False, True),
        ("except ValueError:\n    log.warning('x')", False, True),
        ("except ValueError:\n    pass  # the file may be gone already, which is what was wanted", False, False),
        ("except ValueError as error:\n    found.append(error)", False, False),
        ("except ValueError:\n    return", False, False),
    ],
)
def test_handlers_that_hide_trouble_are_told_from_those_that_do_not(handler, broad, silent):
    text = "def f():\n  for x in y:\n    try:\n      g()\n" + "\n".join("    " + line for line in handler.split("\n"))
    assert bool(broad_excepts(ast.parse(text))) is broad
    assert bool(swallowed(text)) is silent


@pytest.mark.parametrize(
    ("source", "silent"),
    [
        ("with suppress(KeyError):\n    f()", True),
        ("# gone is as good as deleted\nwith suppress(KeyError):\n    f()", False),
        ("with suppress(KeyError):  # gone is as good as deleted\n    f()", False),
    ],
)
def test_a_suppressed_exception_needs_a_written_reason(source, silent):
    assert bool(swallowed(source)) is silent


def test_prints_are_told_from_methods_of_that_name():
    assert prints(ast.parse("print(1)\nconsole.print(2)")) == [1]
