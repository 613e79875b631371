"""Seeded streams that change where their name says: `bernoulli:0.05->0.1@30000`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch.errors import UsageError
from anchorwatch.evaluation.report import About
from anchorwatch_detectors import synth
from anchorwatch_detectors.trials import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from anchorwatch_detectors.base import Floats

NAMED: Final = {
    "errors-abrupt": "bernoulli:0.05->0.1@30000",
    "errors-gradual": "bernoulli:0.05->0.1@30000~5000",
    "errors-calm": "bernoulli:0.05/100000",
    "feature-abrupt": "normal:0->0.5@30000",
    "feature-gradual": "normal:0->0.5@30000~5000",
    "feature-calm": "normal:0/100000",
    "heavy-tails-abrupt": "student_t:0->0.5@30000",
    "dependent-abrupt": "autoregressive:0->0.5@30000",
}
"""Streams that have a name of their own."""

LONGEST: Final = 10_000_000
"""Values of a stream at most."""
CALM: Final = 100_000
"""Values of a stream that does not change, where its length is not said."""

_FAMILIES: Final[dict[str, Callable[[int, int, float], Floats]]] = {
    "bernoulli": synth.bernoulli,
    "normal": synth.normal,
    "student_t": lambda n, seed, level: level + synth.student_t(n, seed),
    "lognormal": synth.lognormal,
    "autoregressive": lambda n, seed, level: level + synth.autoregressive(n, seed),
}
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_FORM = re.compile(
    rf"(?P<family>\w+):(?P<old>{_NUMBER})"
    rf"(?:->(?P<new>{_NUMBER})@(?P<at>\d{{1,9}})(?:~(?P<width>\d{{1,9}}))?)?(?:/(?P<length>\d{{1,9}}))?"
)
_HOW = (
    "write FAMILY:OLD->NEW@POSITION, for a gradual change ~WIDTH behind it, for another length /LENGTH, such as "
    "'bernoulli:0.05->0.1@30000~5000/60000', in quotes, because the shell takes > for a file; FAMILY:OLD/LENGTH does "
    f"not change. Families: {', '.join(_FAMILIES)}. Or one of {', '.join(NAMED)}"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """A made-up stream.

    Attributes
    ----------
    text
        What it was named.
    family
        Distribution of the values: "bernoulli" errors, "normal" and "lognormal" with a standard deviation (of the
        logarithm) of 1, "student_t" with 3 degrees of freedom, "autoregressive" normal values with a memory of .7.
    old, new
        Level before and after the change: error rate, mean, or what is added to the values.
    at
        Position of the change; None for none.
    width
        Values over which it comes; 0 for at once.
    length
        Values in all.
    """

    text: str
    family: str
    old: float
    new: float
    at: int | None
    width: int
    length: int

    @property
    def errors(self) -> bool:
        """Whether it is of errors."""
        return self.family == "bernoulli"

    def trial(self, seed: int, baseline: int) -> Trial:
        """Return the stream of a seed, with as many values of the old level before it as baseline.

        A gradual change counts from where the first new value may come.
        """
        draw = _FAMILIES[self.family]
        old = draw(baseline + self.length, 3 * seed, self.old)
        before, values = old[:baseline], old[baseline:]
        if self.at is not None:
            new = draw(self.length, 3 * seed + 1, self.new)
            if self.width:
                values = synth.gradual(values, new, self.at, self.width, 3 * seed + 2)
            else:
                values = synth.abrupt(values, new, self.at)
        changes = np.array([] if self.at is None else [self.at], np.int64)
        return Trial(before, values, changes, self.errors)

    def about(self, seeds: int, baseline: int) -> About:
        """Return what trials of it are, in words and numbers."""
        change = "" if self.at is None else f", to {self.new:g} from value {self.at:,} on"
        over = f", over {self.width:,} values" if self.width else ""
        head = (
            f"{self.text}: {self.family} values at {self.old:g}{change}{over}; {self.length:,} of them, drawn with "
            f"{seeds:,} seeds. Baseline: {baseline:,} values before each."
        )
        plain = {"what": self.text, "seeds": seeds, "rows": self.length, "errors": self.errors, "baseline": baseline}
        return About(head, plain | {"changes": [] if self.at is None else [self.at]})


def parse(text: str) -> Stream:
    """Return the stream of a name.

    Parameters
    ----------
    text
        One of `NAMED`, or FAMILY:OLD->NEW@POSITION~WIDTH/LENGTH. Without a length it is twice as long as up to the
        change's end.

    Raises
    ------
    UsageError
        If it is no such name, or asks for what cannot be.

    Examples
    --------
    >>> parse("bernoulli:0.05->0.1@30000~5000").length
    70000
    """
    match = _FORM.fullmatch(NAMED.get(text, text))
    if match is None or match["family"] not in _FAMILIES:
        raise UsageError(f"--stream {text}: is no stream; {_HOW}")
    old, new = float(match["old"]), float(match["new"] or match["old"])
    at = None if match["at"] is None else int(match["at"])
    width = int(match["width"] or 0)
    length = int(match["length"] or (CALM if at is None else 2 * (at + width)))
    stream = Stream(text, match["family"], old, new, at, width, length)
    if wrong := _wrong(stream):
        raise UsageError(f"--stream {text}: {wrong}")
    return stream


def _wrong(stream: Stream) -> str | None:
    """Return what of a stream cannot be."""
    if stream.errors and not (0.0 <= stream.old <= 1.0 and 0.0 <= stream.new <= 1.0):
        return f"error rates lie in [0, 1], not at {stream.old:g} and {stream.new:g}"
    if not (np.isfinite(stream.old) and np.isfinite(stream.new)):
        return f"levels are finite numbers, not {stream.old:g} and {stream.new:g}"
    if not 1 <= stream.length <= LONGEST:
        return f"a stream has 1 to {LONGEST:,} values, not {stream.length:,}"
    if stream.at is not None and stream.at + stream.width >= stream.length:
        return f"the change has to be over before the stream is, and position {stream.at + stream.width:,} is not"
    return None
