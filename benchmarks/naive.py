"""What an engineer writes in an afternoon: the alternative that anchorwatch is measured against.

One loop over events: `json.loads`, a dictionary that joins labels to predictions, river's ADWIN on each column and on
the errors, scipy on each full window of rows against the first rows. It watches what anchorwatch watches under the same
settings (`logs.ALIKE`: without volume, label feed, metrics and estimates): the same columns, segments, window sizes,
baseline rows and smallest effects, missing, unseen and out-of-range values. What is fast stays so: `ADWIN` is river's
compiled class, a window keeps references to rows and nothing else, a file is read as text. `ks_2samp` is called as its
documentation shows it; told to use the asymptotic p-value (`Job.p_value`), which anchorwatch uses too, it takes half
the time: that is measured beside it.

It leaves out event-time order, late, repeated and revised events, several versions, dead letters (a broken record ends
it), state that outlives the process, ids that are the same after a crash, the life of an alert beyond "told once", the
reason for each decision, and retrain triggers. anchorwatch does all of that in the time it is measured by.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from river.drift import ADWIN
from scipy.stats import binomtest, chi2_contingency, ks_2samp

if TYPE_CHECKING:
    from collections.abc import Iterable

ALL = ""
SIGNIFICANCE, DIFFERENCE, SHIFT, WORSE, SPOILED = 0.001, 0.1, 0.1, 0.02, 0.01
"""p-value of a window, smallest statistic, rank, error rate and share of bad values worth telling."""
RUN = 50
"""Unusable values in a row that break a column."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What is watched.

    Attributes
    ----------
    ident, label_ident, label
        Fields that hold the id of a prediction, the id of a label, and the label.
    numeric, category
        Features, and outputs of the model.
    windowed
        Numeric columns that are compared by window only.
    answer
        Field that holds the predicted class, or the score of the positive one.
    threshold
        From which score on the answer is 1; None where the field holds the class.
    segment
        Field whose values are watched each by itself; None for all together only.
    baseline, window
        Rows the baseline is made of, and of a window.
    p_value
        `method` of scipy's Kolmogorov-Smirnov test: "auto" or "asymp".
    """

    ident: str
    label_ident: str
    label: str
    numeric: tuple[str, ...]
    category: tuple[str, ...]
    answer: str
    windowed: tuple[str, ...] = ()
    threshold: float | None = None
    segment: str | None = None
    baseline: int = 10_000
    window: int = 1000
    p_value: str = "auto"


class Alert(NamedTuple):
    """Something was found: at which prediction or label, of which subject, in which segment."""

    row: int
    subject: str
    segment: str


@dataclass
class Errors:
    """Wrong answers of one segment."""

    usual: list[int] = field(default_factory=list)
    window: list[int] = field(default_factory=list)
    rate: float = 0.0
    adwin: ADWIN = field(default_factory=ADWIN)


class Naive:
    """The loop's state; feed it with `prediction` and `label`, read `alerts`."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.alerts: list[Alert] = []
        self.predictions = self.labels = 0
        self._answers: dict[str, tuple[Any, str]] = {}
        self._early: dict[str, bytes | str] = {}
        self._numeric = (*job.numeric, *job.windowed)
        self._columns = (*self._numeric, *job.category)
        self._first: list[Row] = []
        self._usual: dict[tuple[str, str], list[float] | Counter[str]] = {}
        self._rank: dict[str, dict[str, float]] = {}
        self._adwin = {c: None if c in job.windowed else ADWIN() for c in self._columns}
        self._run = dict.fromkeys(self._columns, 0)
        self._windows: dict[str, list[Row]] = defaultdict(list)
        self._errors: dict[str, Errors] = defaultdict(Errors)
        self._lately: dict[tuple[str, str], deque[bool]] = defaultdict(lambda: deque(maxlen=3))
        self._told: set[tuple[str, str]] = set()

    def prediction(self, value: bytes | str) -> None:
        """Take a prediction event."""
        job = self.job
        row = json.loads(value)
        self.predictions += 1
        if job.threshold is not None:
            row["class"] = int(row[job.answer] >= job.threshold)
        answer = row["class" if job.threshold is not None else job.answer]
        segment = row.get(job.segment, ALL) if job.segment else ALL
        self._answers[row[job.ident]] = answer, segment
        if self._early and row[job.ident] in self._early:
            self.label(self._early.pop(row[job.ident]))
        if self.predictions <= job.baseline:
            self._first.append(row)
            if self.predictions == job.baseline:
                self._learn()
            return
        self._sequential(row)
        for group in (ALL, segment) if segment else (ALL,):
            window = self._windows[group]
            window.append(row)
            if len(window) == job.window:
                self._compare(group, window)
                self._windows[group] = []

    def label(self, value: bytes | str) -> None:
        """Take a label event."""
        event = json.loads(value)
        known = self._answers.pop(event[self.job.label_ident], None)
        if known is None:
            self._early[event[self.job.label_ident]] = value
            return
        answer, segment = known
        self.labels += 1
        wrong = int(answer != event[self.job.label])
        for group in (ALL, segment) if segment else (ALL,):
            self._error(group, self._errors[group], wrong)

    def _learn(self) -> None:
        """Make the baseline of the first rows."""
        for segment in {ALL, *(row[self.job.segment] for row in self._first if self.job.segment)}:
            rows = [row for row in self._first if segment in (ALL, row.get(self.job.segment))]
            for c in self._numeric:
                self._usual[segment, c] = sorted(row[c] for row in rows if row.get(c) is not None)
            for c in self.job.category:
                self._usual[segment, c] = Counter(row[c] for row in rows if row.get(c) is not None)
        for c in self.job.category:
            below, self._rank[c] = 0, {}
            for word, n in sorted(self._usual[ALL, c].items()):
                self._rank[c][word] = (below + n / 2) / len(self._first)
                below += n
        self._first = []

    def _sequential(self, row: Row) -> None:
        """Feed a row's values to ADWIN, numbers as their rank in the baseline: it is made for values from 0 to 1."""
        run = self._run
        for c, adwin in self._adwin.items():
            value = row.get(c)
            if value is None:
                run[c] += 1
                if run[c] == RUN:
                    self._tell(self.predictions, f"{c} broken", ALL)
                continue
            run[c] = 0
            if adwin is None:
                continue
            if c in self._rank:
                adwin.update(self._rank[c].get(value, 1.0))
            else:
                usual = self._usual[ALL, c]
                adwin.update(bisect(usual, value) / len(usual))
            if adwin.drift_detected and abs(adwin.estimation - 0.5) >= SHIFT:
                self._tell(self.predictions, c, ALL)

    def _compare(self, group: str, rows: list[Row]) -> None:
        """Compare a full window with the baseline."""
        for c in self._columns:
            usual = self._usual.get((group, c))
            if not usual:
                continue
            values = [value for row in rows if (value := row.get(c)) is not None]
            self._share(group, f"{c} missing", len(rows) - len(values), len(rows))
            if not values:
                continue
            if isinstance(usual, Counter):
                now = Counter(values)
                self._share(group, f"{c} unseen", sum(n for word, n in now.items() if word not in usual), len(values))
                words = [*usual, *(word for word in now if word not in usual)]
                if len(words) > 1:
                    table = [[usual[word] for word in words], [now[word] for word in words]]
                    found = chi2_contingency(table)
                    effect = (found.statistic / (len(values) + usual.total())) ** 0.5  # Cramer's V
                    self._window(group, c, found.pvalue, effect)
            else:
                outside = sum(not usual[0] <= value <= usual[-1] for value in values)
                self._share(group, f"{c} out of range", outside, len(values))
                found = ks_2samp(usual, values, method=self.job.p_value)
                self._window(group, c, found.pvalue, found.statistic)

    def _share(self, group: str, subject: str, k: int, n: int) -> None:
        """Compare the share of bad values with none, which is what the first rows have of them."""
        spoiled = k / n >= SPOILED
        self._window(group, subject, binomtest(k, n, 0.5 / self.job.baseline).pvalue if spoiled else 1.0, k / n)

    def _window(self, group: str, subject: str, p: float, effect: float) -> None:
        """Tell what two of the last three windows show."""
        lately = self._lately[group, subject]
        smallest = DIFFERENCE if subject in self._run else SPOILED
        lately.append(p * len(self._run) < SIGNIFICANCE and effect >= smallest)
        if sum(lately) >= 2:
            self._tell(self.predictions, subject, group)

    def _error(self, group: str, errors: Errors, wrong: int) -> None:
        if not errors.rate:
            errors.usual.append(wrong)
            first = self._errors[ALL].usual
            if group == ALL and len(first) == self.job.baseline:
                for each in self._errors.values():
                    each.rate = max(sum(each.usual) / len(each.usual), 1e-4)
            return
        errors.adwin.update(wrong)
        if errors.adwin.drift_detected and abs(errors.adwin.estimation - errors.rate) >= WORSE:
            self._tell(self.labels, "error rate", group)
        errors.window.append(wrong)
        if len(errors.window) == self.job.window:
            share = sum(errors.window) / self.job.window
            p = binomtest(sum(errors.window), self.job.window, errors.rate).pvalue if share >= errors.rate else 1.0
            lately = self._lately[group, "error rate"]
            lately.append(p < SIGNIFICANCE and share - errors.rate >= WORSE)
            if sum(lately) >= 2:
                self._tell(self.labels, "error rate", group)
            errors.window = []

    def _tell(self, row: int, subject: str, segment: str) -> None:
        if (subject, segment) not in self._told:
            self._told.add((subject, segment))
            self.alerts.append(Alert(row, subject, segment))


def watch(job: Job, predictions: Iterable[str], labels: Iterable[str]) -> Naive:
    """Run over a log: all predictions, then all labels, so that each label finds its prediction."""
    naive = Naive(job)
    for line in predictions:
        naive.prediction(line)
    for line in labels:
        naive.label(line)
    return naive
