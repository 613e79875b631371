"""Windows against the baseline: what the library's tests say of the raw values, for any number of windows at once."""

import numpy as np
import pytest

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import window_monitor
from anchorwatch.engine.baseline import Rows, summarise
from anchorwatch.engine.panes import Moment, Window
from anchorwatch.engine.reference import Block, Column, Reference
from anchorwatch.engine.window_monitor import Family
from anchorwatch_detectors import registry
from anchorwatch_detectors.base import Level
from anchorwatch_detectors.correction import benjamini_hochberg
from anchorwatch_detectors.profile import pooled_counts

WORDS = tuple("abcdef")
COLUMNS = (
    Column("amount", numeric=True, kind=Kind.DRIFT),
    Column("income", numeric=True, kind=Kind.DRIFT),
    Column("country", numeric=False, kind=Kind.DRIFT),
)


def rows(seed, n, shift=0.0):
    """Return rows as a baseline takes them, and the same as a block."""
    rng = np.random.default_rng(seed)
    numeric = np.stack([rng.normal(shift, 1, n).round(1), rng.integers(0, 50, n).astype(float)])
    share = np.array([5, 4, 3, 2, 1, 5 * abs(shift)])
    codes = rng.choice(6, n, p=share / share.sum()).astype(np.int32)
    time, ident, good = np.arange(n), np.zeros((n, 2), np.uint64), np.zeros((2, n), np.uint8)
    summary = Rows(
        time,
        ident,
        {"amount": (numeric[0], good[0]), "income": (numeric[1], good[0])},
        {"country": (codes, WORDS, good[0])},
    )
    block = Block(time, time, ident, numeric, good, codes[np.newaxis], good[:1], (WORDS,), np.zeros((0, n), np.uint64))
    return summary, block


BEFORE, _ = rows(1, 2000)
KNOWN = Reference.of("bl", summarise(BEFORE, []), COLUMNS, [])


def window(block, start=0):
    cells = KNOWN.cells(block)
    counts = np.bincount(cells.ravel(), minlength=KNOWN.width)
    return Window(0, Moment(len(block) - 1, 1, 99), start, counts, len(block))


def family(name, columns, **changes):
    test = registry.window(name)
    usual = {"significance": 0.001, "smallest_effect": test.smallest_effect, "min_sample": 100}
    return Family(test, columns, **{**usual, **changes})


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5])
def test_a_numeric_window_is_compared_as_its_raw_values_are(shift):
    """Few enough distinct values are all knots of the baseline, so that nothing is lost by keeping counts."""
    _, block = rows(2, 500, shift)
    found = window_monitor.compare(family("kolmogorov_smirnov", (0, 1)), KNOWN, [window(block)])
    before = [BEFORE.numeric["amount"][0], BEFORE.numeric["income"][0]]
    position, old, new = pooled_counts(before, list(block.numeric))
    said = registry.window("kolmogorov_smirnov").compare(old, new, position)
    adjusted = benjamini_hochberg(said.p_value)
    for i, finding in enumerate(found):
        assert finding.verdict.statistic == pytest.approx(said.statistic[i])
        drifts = said.effect[i] >= 0.1 and adjusted[i] <= 0.001
        assert (finding.verdict.level is Level.DRIFT) == drifts
    assert (found[0].verdict.level is Level.DRIFT) == (shift == 0.5) or shift == 0.2


@pytest.mark.parametrize("name", ["chi_square", "jensen_shannon", "hellinger", "total_variation"])
def test_a_category_window_is_compared_word_by_word(name):
    _, block = rows(3, 600, 0.5)
    (finding,) = window_monitor.compare(family(name, (2,)), KNOWN, [window(block)])
    words = KNOWN.profiles[2].words
    codes = [WORDS.index(word) for word in words]
    counts = [np.bincount(c, minlength=6) for c in (BEFORE.category["country"][0], block.category[0])]
    old, new = (np.append(c[codes], c.sum() - c[codes].sum())[np.newaxis] for c in counts)
    said = registry.window(name).compare(old, new)
    assert finding.verdict.statistic == pytest.approx(said.statistic[0])
    assert finding.verdict.level is Level.DRIFT


@pytest.mark.parametrize("name", sorted(registry.names("window")))
def test_windows_judged_together_are_judged_as_each_alone(name):
    """Bit for bit: how many windows close in one batch depends on how the stream was cut."""
    kinds = registry.window(name).kinds
    columns = tuple(i for i, column in enumerate(COLUMNS) if ("numeric" if column.numeric else "category") in kinds)
    numeric = tuple(i for i in columns if COLUMNS[i].numeric)
    for chosen in filter(None, (numeric, tuple(i for i in columns if i not in numeric))):
        windows = [window(rows(seed, 300 + 7 * seed, 0.1 * seed)[1], seed) for seed in range(7)]
        judge = family(name, chosen)
        alone = [finding for one in windows for finding in window_monitor.compare(judge, KNOWN, [one])]
        assert list(map(repr, window_monitor.compare(judge, KNOWN, windows))) == list(map(repr, alone))


def test_too_few_values_on_either_side_are_undetermined_and_never_stable():
    _, block = rows(4, 99)
    (finding,) = window_monitor.compare(family("kolmogorov_smirnov", (0,)), KNOWN, [window(block)])
    assert (finding.verdict.level, finding.verdict.reason) == (Level.UNDETERMINED, "too_few_values")
    (finding,) = window_monitor.compare(family("kolmogorov_smirnov", (0,), min_sample=2001), KNOWN, [window(block)])
    assert finding.verdict.reason == "baseline_too_small"


def test_noise_and_small_effects_are_stable_with_their_reason():
    _, block = rows(5, 150, 0.3)
    loose = window_monitor.compare(family("kolmogorov_smirnov", (0,), significance=1e-9), KNOWN, [window(block)])
    assert loose[0].verdict.reason == "within_noise"
    strict = window_monitor.compare(family("kolmogorov_smirnov", (0,), smallest_effect=0.9), KNOWN, [window(block)])
    assert strict[0].verdict.reason == "small_effect"
