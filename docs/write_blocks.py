"""Write what the documents show of the program, by running it: `make docs`.

A block stands between `<!-- NAME: ... -->` and `<!-- end -->`. `check` as an argument changes nothing and fails where a
block is not what the program says today.
"""

from __future__ import annotations

import inspect
import json
import os
import platform
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorwatch.clock import SystemClock
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.incidents import Telling
from anchorwatch.decide.publish import alert_message, incident_message, trigger_message
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain import RetrainReason
from anchorwatch.decide.retraining import StatusReason
from anchorwatch.demo import play
from anchorwatch.settings.models import Outputs
from anchorwatch.simulate.scenario import FAST

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/alerts.md", "docs/configuration.md")
LAST_RUN = ROOT / ".pytest_cache" / "full.xml"
BLOCK = re.compile(r"(<!-- (\w+): [^>]* -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def demo() -> str:
    """Return what the short demo prints."""
    line = [sys.executable, "-c", "from anchorwatch.cli.main import main; main()", "demo", "--fast"]
    wide = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    said = subprocess.run(line, check=True, capture_output=True, text=True, encoding="utf-8", env=wide).stdout  # noqa: S603  our own command
    body = "\n".join(text.rstrip() for text in said.rstrip().split("\n"))
    return f"```text\n$ make demo ARGS=--fast\n{body}\n```\n"


def tests() -> str | None:
    """Return what the last run of all tests came to; None where there was none."""
    if not LAST_RUN.exists():
        return None
    (suite,) = ET.parse(LAST_RUN).getroot().iter("testsuite")  # noqa: S314  written by pytest on this machine
    count = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    passed = count.pop("tests") - sum(count.values())
    others = "".join(f", {n} {name}" for name, n in count.items() if n)
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    seconds = float(suite.attrib["time"])
    return f"```text\n$ make test\n{passed:,} passed{others} in {seconds:.0f} s ({where})\n```\n"


def messages() -> tuple[str, str]:
    """Return the first accuracy alert and the retrain trigger of the short demo, as they are published."""
    story, outputs = play(FAST, 7, SystemClock(), lambda _story: None), Outputs()
    notice = next(notice for notice in story.fired if notice.identity.kind is Kind.ACCURACY)
    alert = alert_message("/anchorwatch", outputs.alerts, notice)
    trigger = trigger_message(outputs.retrain, story.triggers[0])
    return _as_block(alert.value), _as_block(trigger.value)


def incident() -> str:
    """Return the telling of the short demo's first incident in which it became more severe, as it is published."""
    story, outputs = play(FAST, 7, SystemClock(), lambda _story: None), Outputs()
    notice = next(notice for notice in story.incidents if notice.reason is Telling.SEVERITY_ROSE)
    return _as_block(incident_message("/anchorwatch", outputs.alerts, notice).value)


def _as_block(value: bytes) -> str:
    return f"```json\n{json.dumps(json.loads(value), indent=2)}\n```\n"


def table(reasons: type[enum.StrEnum]) -> str:
    """Return the members of an enumeration and what its docstring says of each, as a table."""
    text = inspect.cleandoc(reasons.__doc__ or "")
    rows = []
    for member in reasons:
        said = re.search(rf"^{member.name}\n((?:    .*\n?)+)", text, re.MULTILINE)
        if said is None:
            raise SystemExit(f"the docstring of {reasons.__name__} says nothing of {member.name}")
        rows.append(f"| `{member.value}` | {' '.join(said[1].split())} |\n")
    return "| reason | meaning |\n|---|---|\n" + "".join(rows)


def recovery() -> str:
    """Return what the last measurement of the retrain estimate came to."""
    rows = [
        f"| {each['name'].removeprefix('estimate on ')} | {each['value']:.1f} {each['unit']} "
        "| {name}: {value:.1f} | {model in production:.1f} |\n".format(**each["against"])
        for each in _measured("recovery")
        if each["unit"].startswith("points")
    ]
    return "| rows | estimate | beside it | the model itself |\n|---|---|---|---|\n" + "".join(rows)


def join() -> str:
    """Return what predictions that wait for their label cost, as last measured."""
    large, small, _, memory, written = _measured("join")
    several, few = (int(re.sub(r"\D", "", each["name"])) for each in (large, small))
    rows = []
    for rate, days, sample in ((10, 7, 1.0), (100, 1, 1.0), (100, 7, 1.0), (1000, 1, 1.0), (1000, 7, 0.1)):
        waiting = rate * sample * (days * 24 + 1) * 3600
        also = "" if sample == 1.0 else f", `sample: {sample}`"
        size = memory["value"] / several * waiting / 1e3
        rows.append(f"| {rate:,}/s | {days}d{also} | {waiting / 1e6:.1f} million | {size:.2g} GB |\n")
    times, longest = written["value"] / written["against"]["value"], written["against"]["longest checkpoint"]
    return (
        "| predictions | `wait` | waiting at most | memory |\n|---|---|---|---|\n" + "".join(rows) + "\n"
        f"Measured: {several:,} predictions with a score took {memory['value'] / 1e3:.2f} GB at the most. While they "
        f"waited, {large['value']:,.0f} labels a second were joined, checkpoints on disk included; while {few:,} "
        f"waited, {small['value']:,.0f} (a table of SQLite with an index: {small['against']['value']:,.0f}).\n"
        "A checkpoint writes what is new, and again some of what was written before, in larger and larger pieces: "
        f"each prediction {times:.1f} times. The longest checkpoint took {longest:.1f} seconds.\n"
    )


def rollouts() -> str:
    """Return after how many labels it is told that values of a new version are farther off, as last measured."""
    rows = [
        f"| {each['name']} | {each['value']:,.0f} | {each['against']['told']:.0%} | {each['against']['value']:,} |\n"
        for each in _measured("rollouts")
    ]
    head = (
        "errors of the new version | told after so many labels (median) | told within 10,000 | one look that knows when"
    )
    return f"| {head} |\n|---|---|---|---|\n" + "".join(rows)


def _measured(name: str) -> list[dict[str, Any]]:
    """Return what the last run of a benchmark wrote."""
    found: list[dict[str, Any]] = json.loads((ROOT / f"benchmarks/results/{name}.json").read_text(encoding="utf-8"))
    return found


def main(arguments: list[str]) -> None:
    """Write every block of every page, or check them."""
    alert, trigger = messages()
    makers: dict[str, Callable[[], str | None]] = {
        "demo": demo,
        "tests": tests,
        "alert": lambda: alert,
        "trigger": lambda: trigger,
        "reasons": lambda: table(Reason),
        "incident": incident,
        "telling": lambda: table(Telling),
        "retrain": lambda: table(RetrainReason),
        "status": lambda: table(StatusReason),
        "recovery": recovery,
        "join": join,
        "rollouts": rollouts,
    }
    stale = []
    for page in PAGES:
        path = ROOT / page
        before = path.read_text(encoding="utf-8")

        def block(found: re.Match[str]) -> str:
            kept: str | None = found[3]
            if not (arguments and found[2] == "tests"):  # how long tests take is never the same twice
                kept = makers[found[2]]() or kept
            return f"{found[1]}{kept}{found[4]}"

        after = BLOCK.sub(block, before)
        if after != before:
            stale.append(page)
            if not arguments:
                path.write_text(after, encoding="utf-8")
    if arguments and stale:
        raise SystemExit(f"{', '.join(stale)}: not what the program says today; run `make docs`")


if __name__ == "__main__":
    main(sys.argv[1:])
