"""Write docs/detection.md from what the benchmarks measured: `make docs`; `-` as an argument prints it."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
PAGES = ("delay", "false_alarms", "false_alarms_model", "known_changes", "kernels", "window_tests")
RIVERS = ("adwin", "ddm", "eddm", "fhddm", "hddm_a", "hddm_w", "kswin", "page_hinkley")

HEAD = """# Detection

How soon each sequential detector finds a change, how often it rings where nothing changed, and how fast it runs.
Written by `make docs` from the files in `benchmarks/results`, which `make bench ONLY=delay` (`false_alarms`,
`false_alarms_model`, `known_changes`, `kernels`, `window_tests`) measures anew. Detectors marked * ring exactly where
river 0.26's own ring: what stands here of them holds of river's.

## Which detector, and why

`shiryaev_roberts` watches errors and `shiryaev_roberts_ranks` features. Both hold a stream against its baseline,
bet on many sizes of change at once and add up the evidence for a change at any time since (mixture Shiryaev-Roberts).
They are the defaults for three reasons: they have a dial in the unit that matters, values between two false alarms;
what it is set to holds without calibration and with a small baseline; and at an equal number of false alarms they
come close to a detector that knew both distributions beforehand. River's detectors compare a stream with its own
past: they need no baseline, but forget what was usual, and how often they ring is as it is. Take one of them where
there is no baseline to trust, or where the level is free to wander and only sudden changes matter.

## What the dial means

`average_run_length: 1000000` asks for at most one false alarm in a million values of a lane, on average. By
construction the mean number of values until a false alarm is at least this, whatever the distribution; measured run
lengths lie somewhat above. Ten times the run length costs about log(10) more evidence: from 100,000 to 1,000,000 a
change is found about a quarter later. There is a limit: as A grows, no detector with a false alarm every A values
has a mean delay below log(A) / KL(after, before) values where the change comes at the worst moment (Lorden 1971).

## What is assumed

- Values before the change are independent, or their memory was estimated from the baseline: of dependent values each
  counts for a part of one. Then the run length is approximate; it is measured below for AR(1) and a daily cycle.
- The baseline is drawn from the stream as it is when all is well. It is a sample: its uncertainty is part of the bet,
  so 10,000 rows do. The run length holds on average over the baselines that could have been; one baseline that is off
  by chance rings more often than another.
- Features are seen as ranks within the baseline, so neither unit nor tails matter; errors are 0 or 1, 1 = wrong.
- The smallest shift worth knowing only makes it quieter. Below it is 0, the hard case, where not told otherwise.
"""


def main() -> None:
    """Write the page, or print it."""
    text = page({name: read(name) for name in PAGES})
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(text)
    else:
        Path(__file__).with_name("detection.md").write_text(text, encoding="utf-8")


def read(name: str) -> list[dict[str, Any]]:
    """Return the results of a benchmark; each gets the parts of its name."""
    found: list[dict[str, Any]] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return [{**each, "parts": each["name"].split(", ")} for each in found]


def page(results: dict[str, list[dict[str, Any]]]) -> str:
    """Return the page."""
    parts = [HEAD, delays(results["delay"]), false_alarms(results["false_alarms"])]
    parts += [whole_model(results["false_alarms_model"]), known_changes(results["known_changes"])]
    return "\n".join([*parts, speed(results["kernels"]), window_tests(results["window_tests"])])


def delays(rows: list[dict[str, Any]]) -> str:
    """Return delays as ratios to the clairvoyant CUSUM's: a summary, and every cell."""
    text = """## Delay

Mean delay as a ratio to that of the clairvoyant CUSUM, which knows the distributions before and after and has the same
measured run length. The change comes after 30,000 values; the baseline has a million rows. "errors p x r" is an error
rate that goes from p to r p, "normal + s" a feature that shifts by s standard deviations, seen as ranks. NaN: it rang
not once in 30 million values, or more often than every 2,000, or missed a change for 10 times the clairvoyant delay.
A ratio tells nothing of the run length: that comes with it, and only a dial lets you choose it.
"""
    changes = {"errors": list[str](), "normal": list[str]()}
    settings = dict[tuple[str, str], dict[str, dict[str, Any]]]()
    for row in rows:
        name, setting, change = row["parts"]
        kind = changes[change.split()[0]]
        kind += [] if change in kind else [change]
        settings.setdefault((name, setting), {})[change] = row
    for title, kind in (("Errors", changes["errors"]), ("Features", changes["normal"])):
        mine = {key: cells for key, cells in settings.items() if kind[0] in cells}
        short = [change.removeprefix("errors ").removeprefix("normal ") for change in kind]
        body = [
            [marked(name), setting, lengths(cells, kind), *summary(cells, kind), *(ratio(cells[each]) for each in kind)]
            for (name, setting), cells in mine.items()
        ]
        header = ["detector", "dial", "run length", "geometric mean", "worst", *short]
        text += f"\n### {title}\n\n{table(header, body)}"
    return text


def lengths(cells: dict[str, dict[str, Any]], kind: list[str]) -> str:
    """Return the run lengths of a detector, from the shortest to the longest."""
    found = [cells[change]["against"]["run_length"] for change in kind]
    known = sorted({length for length in found if not math.isnan(length)})
    if not known:
        return "NaN"
    low, high = large(known[0]), large(known[-1])
    return low if low == high else f"{low} to {high}"


def large(number: float) -> str:
    """Return a number in two digits, with its thousands or millions."""
    rounded = float(f"{number:.2g}")
    if rounded >= 1e6:
        return f"{rounded / 1e6:g}M"
    return f"{rounded / 1e3:g}k" if rounded >= 1e3 else f"{rounded:g}"


def summary(cells: dict[str, dict[str, Any]], kind: list[str]) -> tuple[str, str]:
    """Return geometric mean and largest of the ratios; NaN if one is."""
    ratios = [cells[change]["value"] / cells[change]["against"]["value"] for change in kind]
    if any(math.isnan(each) for each in ratios):
        return "NaN", "NaN"
    return f"{math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f}", f"{max(ratios):.2f}"


def ratio(row: dict[str, Any]) -> str:
    """Return how many times the clairvoyant delay a detector needs."""
    found = row["value"] / row["against"]["value"]
    return "NaN" if math.isnan(found) else f"{found:.2f}"


def false_alarms(rows: list[dict[str, Any]]) -> str:
    """Return alarms on streams that never change."""
    text = """## False alarms

Alarms on streams that never change, each held against its own first 10,000 rows and followed for 100,000 more; a
feature is seen as ranks within these rows. The defaults, set to one false alarm in 100,000 values, saw 200 streams of
each kind; "bound" is the 99 % bound of as many alarms as that allows.

"""
    body = []
    kinds = dict.fromkeys(row["parts"][2] for row in rows)
    others = dict[str, dict[str, str]]()
    for row in rows:
        (name, _setting, stream, smallest), allowed = row["parts"], row["against"]
        if math.isnan(allowed["value"]):
            often = large(allowed["values"] / row["value"]) if row["value"] else f"over {large(allowed['values'])}"
            others.setdefault(name, {})[stream] = often
        else:
            numbers = [f"{number:,.0f}" for number in (row["value"], allowed["asked"], allowed["value"])]
            body.append([name, stream, smallest.removeprefix("smallest shift "), *numbers])
    text += table(["detector", "stream", "smallest shift", "alarms", "asked for", "bound"], body)
    text += "\nThe others have no such dial. Values for one alarm, on 20 streams of each kind, as they ship:\n\n"
    return text + table(
        ["detector", *kinds], [[marked(name), *(seen.get(kind, "") for kind in kinds)] for name, seen in others.items()]
    )


def whole_model(rows: list[dict[str, Any]]) -> str:
    """Return false alarms of all default monitors of a model together."""
    text = """### A whole model

All default monitors of a model with 20 features, sequential and by window, run by the engine with a budget of one
false alarm in 100,000 predictions: streams of 20,000 predictions that had one, of 200 of each kind. The bound is the
99 % bound of what the budget allows. The daily streams have `season: day`.

"""
    body = [[row["parts"][0].split(":")[0], f"{row['value']:.0f}", f"{row['against']['value']:.0f}"] for row in rows]
    return text + table(["stream", "with a false alarm", "bound"], body)


def window_tests(rows: list[dict[str, Any]]) -> str:
    """Return how fast exact distances of raw rows are."""
    text = """### Exact distances of raw rows

Kolmogorov-Smirnov and Wasserstein together, milliseconds for two samples of 10,000 rows, the baseline sorted once
("prepared") or not, beside scipy's two functions, whose statistics they equal.

"""
    body = [
        [", ".join(row["parts"][2:]), f"{row['value']:.3f}", f"{row['against']['value']:.2f}", f"{row['ratio']:.0f}"]
        for row in rows
    ]
    return text + table(["how", "anchorwatch", "scipy", "times faster"], body)


def known_changes(rows: list[dict[str, Any]]) -> str:
    """Return what is found in the data of nannyml."""
    text = """## Known changes

Errors of two models whose data nannyml brings; the first 10,000 rows are the baseline. Credit card: from row 90,000 on
the error rate is .435 instead of .245, dial at one false alarm in 1,000,000 values. Car loan: from row 75,000 on .084
instead of .056, dial at one in 100,000. "Resampled" draws the rows before and after the change with replacement, 500
times for the default and 50 times for the others; there the clairvoyant CUSUM at the dial's run length needs {} values
for the credit cards and {} for the car loans. NaN: missed, in at least one case.

"""
    models = list(dict.fromkeys(row["parts"][2] for row in rows))
    cells = dict[str, dict[tuple[str, str], dict[str, Any]]]()
    theirs = {}
    for row in rows:
        name, _, model, how = row["parts"]
        cells.setdefault(name, {})[model, how] = row
        theirs[model] = f"{row['against']['value']:,.0f}"
    columns = [(model, how) for model in models for how in ("as it came", "resampled")]
    header = ["detector"]
    for model, how in columns:
        header += [f"{model} {how}: delay", "false alarms" if how == "as it came" else "values for a false alarm"]
    body = [
        [marked(name), *(part for column in columns for part in found(seen[column]))] for name, seen in cells.items()
    ]
    return text.format(*(theirs[model] for model in models)) + table(header, body)


def found(row: dict[str, Any]) -> tuple[str, str]:
    """Return delay and false alarms of a row."""
    value, against = row["value"], row["against"]
    delay = "NaN" if math.isnan(value) else f"{value:,.0f}"
    if row["parts"][3] == "as it came":
        return delay, f"{against['false_alarms']}"
    none = f"over {large(against['quiet'])}"
    return delay, large(against["quiet"] / against["false_alarms"]) if against["false_alarms"] else none


def speed(rows: list[dict[str, Any]]) -> str:
    """Return events a second beside river's own loop."""
    body = [
        [row["name"], f"{row['value']:,.0f}", f"{row['against']['value']:,.0f}", f"{row['ratio']:,.0f}"] for row in rows
    ]
    text = "## Speed\n\nEvents a second of processor time, in one process, beside river's own classes in a loop.\n\n"
    return text + table(["detector", "anchorwatch", "river", "times faster"], body)


def marked(name: str) -> str:
    """Return a detector's name, with a star where it rings as river's."""
    return f"{name} *" if name in RIVERS else name


def table(header: list[str], body: list[list[str]]) -> str:
    """Return a table of Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in (header, *body)]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:], ""])


if __name__ == "__main__":
    main()
