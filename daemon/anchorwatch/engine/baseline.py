"""A baseline: how things should be. Immutable, named by its own content, without raw rows.

A baseline has up to two parts, each a summary of columns: `predictions` (features, predictions, latency) and `outcomes`
(the error of predictions whose label came). A part made later gives a new baseline that holds the earlier part
unchanged and names the baseline it extends.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from anchorwatch.engine.conditional import ranked
from anchorwatch.engine.season import LENGTH, Bucket, Cycle, Season, counted, season_of, slots_of
from anchorwatch.errors import ConfigurationError
from anchorwatch_detectors.copula import Dependence
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BATCHES = 8  # fewer batches say nothing about how much their means vary
DEPENDENT = 200  # of more columns the correlations are not kept: they would outweigh everything else
FAULTS = 4  # the fault codes of events.columns.Fault, without NONE
PartName = Literal["predictions", "outcomes"]
AnyProfile = NumericProfile | CategoryProfile


class Group(msgspec.Struct, frozen=True):
    """The rows of one segment value, counted over the cells of all rows.

    `column` is "" for all rows; `value` is None for the rows of values that have no group of their own. `buckets` are
    there with a season only.
    """

    column: str
    value: str | None
    rows: int
    counts: dict[str, list[int]]
    buckets: list[Bucket] | msgspec.UnsetType = msgspec.UNSET

    @property
    def label(self) -> str:
        """Return the group as an alert's label says it."""
        return "" if not self.column else f"{self.column}={'other' if self.value is None else self.value}"


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """Summary of rows: one profile a column, and counts by group.

    Attributes
    ----------
    columns
        Profiles as plain data, by column name, with their kind under "kind" and under "inflation" how many times as
        much as that of independent values the mean of successive values varies.
    groups
        The first is all rows. `counts` hold a column's cells, then its faults by `events.columns.Fault` code.
    rows
        Number of rows.
    start, end
        Event time of the first and last row, ns.
    fingerprint
        sha256 over the rows' id hashes and times: the same rows give the same fingerprint.
    level
        Events between two false alarms of one monitor that the part was calibrated to; None for not calibrated, which
        is left out of the document.
    dependence
        How the columns hang together, in the order of `columns` (`anchorwatch_detectors.copula.Dependence` as plain
        data); None where they are more than `DEPENDENT`, and in baselines from before it was kept.
    calibration
        What a simulation said of false alarms, with the curve (`anchorwatch calibrate`); None for none.
    season
        The cycle by which the groups are counted too; not there without one.
    """

    columns: dict[str, dict[str, Any]]
    groups: list[Group]
    rows: int
    start: int
    end: int
    fingerprint: str
    level: float | None = None
    dependence: dict[str, list[float]] | None = None
    calibration: dict[str, Any] | None = None
    season: Season | msgspec.UnsetType = msgspec.UNSET


class Baseline(msgspec.Struct, frozen=True):
    """What a model version is compared with.

    Attributes
    ----------
    model, version
        Whose it is.
    predictions, outcomes
        The parts; None where one has not been made.
    extends
        Id of the baseline this one adds a part to; "" for none.
    code
        Version of anchorwatch that made it.
    configuration
        Hash of the model's configuration it was made under.
    """

    model: str
    version: str
    predictions: Part | None
    outcomes: Part | None
    extends: str
    code: str
    configuration: str
    schema: int = 1

    @property
    def id(self) -> str:
        """Return sha256 of the canonical document, prefixed so that people know it for a baseline."""
        return "bl-" + hashlib.sha256(self.to_json()).hexdigest()[:24]

    def to_json(self) -> bytes:
        """Return the canonical document: the same content gives the same bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, document: bytes | str) -> Baseline:
        """Return the baseline of a document; raises ConfigurationError if it is none."""
        try:
            return msgspec.json.decode(document, type=cls)
        except msgspec.DecodeError as error:
            raise ConfigurationError(
                f"this is not a baseline of anchorwatch: {error}. Export one with `anchorwatch baseline export`."
            ) from error

    @property
    def cycle(self) -> Cycle | None:
        """Return the cycle it knows, None for none."""
        part = self.predictions or self.outcomes
        return part.season.cycle if part is not None and isinstance(part.season, Season) else None

    def part(self, name: PartName) -> Part | None:
        """Return a part by name."""
        return self.predictions if name == "predictions" else self.outcomes


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to summarise, as columns.

    Attributes
    ----------
    time, ident
        (n,) and (n, 2): event time and id hash.
    numeric, numeric_fault
        (numeric columns, n).
    category
        Per category column the (n,) codes, their vocabulary and faults.
    made
        (n,) event time by which rows belong to a time of the cycle; None: `time`.
    """

    time: NDArray[np.int64]
    ident: NDArray[np.uint64]
    numeric: dict[str, tuple[NDArray[np.float64], NDArray[np.uint8]]]
    category: dict[str, tuple[NDArray[np.int32], tuple[str, ...], NDArray[np.uint8]]]
    made: NDArray[np.int64] | None = None

    @property
    def in_cycle(self) -> NDArray[np.int64]:
        """(n,) event time by which each row belongs to a time of the cycle."""
        return self.time if self.made is None else self.made


class Segment(NamedTuple):
    """Rows that make a group: of one value of a segment column, or (value None) of all values without a group."""

    column: str
    value: str | None
    rows: NDArray[np.bool_]


def summarise(rows: Rows, segments: Sequence[Segment], cycle: Cycle | None = None) -> Part:
    """Return the summary of at least one row, as a whole, by segment, and with a cycle by its buckets."""
    profiles: dict[str, AnyProfile] = {}
    cells: dict[str, NDArray[np.int64]] = {}
    for name, (values, fault) in rows.numeric.items():
        numeric = NumericProfile.of(np.where(fault == 0, values, np.nan))
        profiles[name] = numeric
        cells[name] = with_faults(numeric.cells(values), len(numeric.counts), fault)
    for name, (codes, words, fault) in rows.category.items():
        category = CategoryProfile.of(np.where(fault == 0, codes, -1), words)
        profiles[name] = category
        cells[name] = with_faults(category.cells(codes, words), len(category.counts), fault)
    widths = {name: len(profile.counts) + FAULTS for name, profile in profiles.items()}
    numbers = {name: profile.mid_ranks for name, profile in profiles.items()}
    season = None if cycle is None else season_of(cycle, rows.in_cycle, cells, numbers)
    bucket = None if season is None else np.array(season.buckets)[slots_of(season.cycle, rows.in_cycle)]

    def group(segment: Segment) -> Group:
        mine = {name: places[segment.rows] for name, places in cells.items()}
        counts = {name: np.bincount(mine[name], minlength=widths[name]).tolist() for name in profiles}
        made = Group(segment.column, segment.value, int(segment.rows.sum()), counts)
        if season is None or bucket is None:
            return made
        buckets = counted(mine, widths, bucket[segment.rows], max(season.buckets) + 1)
        return msgspec.structs.replace(made, buckets=buckets)

    everything = Segment("", None, np.ones(len(rows.time), np.bool_))
    order = np.lexsort((rows.ident[:, 1], rows.ident[:, 0], rows.time))
    digest = hashlib.sha256(rows.time[order].tobytes() + np.ascontiguousarray(rows.ident[order]).tobytes())
    cycles = 0.0 if season is None else max(float(np.ptp(rows.in_cycle)) / LENGTH[season.cycle], 1.0)
    return Part(
        columns={
            name: {"kind": _kind(p), "inflation": _inflation(p, cells[name], bucket, cycles), **p.to_plain()}
            for name, p in profiles.items()
        },
        groups=[group(segment) for segment in (everything, *segments)],
        rows=len(rows.time),
        start=int(rows.time.min()),
        end=int(rows.time.max()),
        fingerprint=digest.hexdigest(),
        dependence=_dependence(profiles, cells),
        season=msgspec.UNSET if season is None else season,
    )


def _inflation(profile: AnyProfile, cells: NDArray[np.int64], bucket: NDArray[np.int64] | None, cycles: float) -> float:
    """Return the inflation of a column's ranks: with a season of those within the bucket, whose errors come again."""
    if bucket is None:
        return inflation(profile.mid_ranks, cells)
    values, own = ranked(cells, len(profile.counts), bucket)
    return _of_means(values) * (1.0 + own / cycles)


def segments_of(
    column: str, codes: NDArray[np.int32], words: tuple[str, ...], limit: int, min_sample: int
) -> list[Segment]:
    """Return a segment for each of the `limit` most frequent values with `min_sample` rows, and one for the rest."""
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    order = sorted(range(len(words)), key=lambda code: (-counts[code], words[code]))
    kept = [code for code in order[:limit] if counts[code] >= min_sample]
    rest = (codes >= 0) & ~np.isin(codes, kept)
    return [*(Segment(column, words[code], codes == code) for code in kept), Segment(column, None, rest)]


def with_faults(cells: NDArray[np.int64], size: int, fault: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return cells where a faulty value counts in the cell of its fault, behind the `size` cells of good values."""
    return np.where(fault == 0, cells, size + fault.astype(np.int64) - 1)


def inflation(ranks: NDArray[np.float64], cells: NDArray[np.int64]) -> float:
    """Return how many times as much as that of independent values the mean of successive values varies; at least 1.

    By batch means, with batches of sqrt(n) values (Schmeiser, "Batch size effects in the analysis of simulation
    output", Operations Research 30, 1982): in truth 1 for independent values, 5.7 for an autoregression of 0.7. The
    estimate is taken for more than 1 only if it is so by two of its standard errors, and then these are added to it:
    too little would make false alarms.

    Parameters
    ----------
    ranks
        (good cells,) number that stands for each cell.
    cells
        (n,) cell of each value in order; those behind the good cells are passed over.
    """
    return _of_means(ranks[cells[cells < len(ranks)]])


def _of_means(values: NDArray[np.float64]) -> float:
    size = math.isqrt(len(values))
    variance = float(values.var()) if size else 0.0
    if size < BATCHES or variance == 0.0:
        return 1.0
    means = values[: size * size].reshape(size, size).mean(axis=1)
    estimate = float(size * means.var(ddof=1) / variance)
    doubt = 1.0 + 2.0 * math.sqrt(2.0 / (size - 1))
    return estimate * doubt if estimate > doubt else 1.0


def profile_of(plain: dict[str, Any]) -> AnyProfile:
    """Return the profile that a part's column describes."""
    body = {key: value for key, value in plain.items() if key not in {"kind", "inflation"}}
    return NumericProfile.from_plain(body) if plain["kind"] == "numeric" else CategoryProfile.from_plain(body)


def _dependence(profiles: dict[str, AnyProfile], cells: dict[str, NDArray[np.int64]]) -> dict[str, list[float]] | None:
    if len(profiles) > DEPENDENT:
        return None
    ranks = [np.append(p.mid_ranks, np.nan)[np.minimum(cells[name], len(p.counts))] for name, p in profiles.items()]
    return Dependence.of(ranks).to_plain()


def _kind(profile: AnyProfile) -> str:
    return "numeric" if isinstance(profile, NumericProfile) else "category"
