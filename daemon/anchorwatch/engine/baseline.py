"""A baseline: how things should be. Immutable, named by its own content, without raw rows.

A baseline has up to two parts, each a summary of columns: `predictions` (features, predictions, latency) and `outcomes`
(the error of predictions whose label came). A part made later gives a new baseline that holds the earlier part
unchanged and names the baseline it extends.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from anchorwatch.engine.arrivals import Arrivals
from anchorwatch.engine.dependence import dependence_of, inflation, placed
from anchorwatch.engine.known import Hours, Known
from anchorwatch.engine.labelling import Labelling
from anchorwatch.engine.season import LENGTH, Bucket, Cycle, Season, counted, season_of, slots_of
from anchorwatch.errors import ConfigurationError
from anchorwatch.events.columns import PREDICTION_CLASS
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FAULTS = 4  # the fault codes of events.columns.Fault, without NONE
PartName = Literal["predictions", "outcomes"]
AnyProfile = NumericProfile | CategoryProfile


class Group(msgspec.Struct, frozen=True):
    """The rows of one segment value, counted over the cells of all rows.

    `column` is "" for all rows; `value` is None for the rows of values that have no group of their own. `buckets` are
    there with a season only, `metrics` (by name) in the outcomes part, where there were enough rows, and with a season
    `hours`: the same by bucket of the part's `metric_season`. `curve` is the part's, of the rows of a segment alone.
    """

    column: str
    value: str | None
    rows: int
    counts: dict[str, list[int]]
    buckets: list[Bucket] | msgspec.UnsetType = msgspec.UNSET
    metrics: dict[str, Known] | msgspec.UnsetType = msgspec.UNSET
    hours: list[Hours] | msgspec.UnsetType = msgspec.UNSET
    curve: dict[str, list[float]] | msgspec.UnsetType = msgspec.UNSET

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
        data); None where they are too many, and in baselines from before it was kept.
    calibration
        What a simulation said of false alarms, with the curve (`anchorwatch calibrate`); None for none.
    season
        The cycle by which the groups are counted too; not there without one.
    mature
        Event time, ns, within which nearly all of the outcomes' labels came; None for not known.
    curve
        The mean outcome by what the model said (`anchorwatch_detectors.estimated.Curve` as plain data); None for none.
    arrivals
        Of predictions: how the rows came in event time; not there where they are too few.
    labelling
        Of outcomes: how many predictions got a label, and how late; not there where they are too few.
    metric_season
        Of outcomes: the cycle by which metrics are known too; not there without one.
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
    mature: int | None = None
    curve: dict[str, list[float]] | None = None
    arrivals: Arrivals | msgspec.UnsetType = msgspec.UNSET
    labelling: Labelling | msgspec.UnsetType = msgspec.UNSET
    metric_season: Season | msgspec.UnsetType = msgspec.UNSET


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
    calibration
        The level common to its parts, with the curve of false alarms of the whole model against it; not there without.
    """

    model: str
    version: str
    predictions: Part | None
    outcomes: Part | None
    extends: str
    code: str
    configuration: str
    schema: int = 1
    calibration: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

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
    ranks = {name: placed(profile, cells[name], bucket) for name, profile in profiles.items()}
    # what a bucket's ranks are off by comes again with every cycle: shared among those that the baseline holds
    cycles = 1.0 if season is None else max(float(np.ptp(rows.in_cycle)) / LENGTH[season.cycle], 1.0)
    inflations = {name: inflation(values) * (1.0 + own / cycles) for name, (values, own) in ranks.items()}
    return Part(
        columns={
            name: {"kind": _kind(p), "inflation": inflations[name], **p.to_plain()} for name, p in profiles.items()
        },
        groups=[group(segment) for segment in (everything, *segments)],
        rows=len(rows.time),
        start=int(rows.time.min()),
        end=int(rows.time.max()),
        fingerprint=digest.hexdigest(),
        dependence=dependence_of([values for values, _ in ranks.values()]),
        season=msgspec.UNSET if season is None else season,
    )


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


def profile_of(plain: dict[str, Any]) -> AnyProfile:
    """Return the profile that a part's column describes."""
    body = {key: value for key, value in plain.items() if key not in {"kind", "inflation"}}
    return NumericProfile.from_plain(body) if plain["kind"] == "numeric" else CategoryProfile.from_plain(body)


def classes_of(part: Part | None) -> list[str]:
    """Return the names of the predicted classes in the predictions part of a baseline; none of a regression."""
    plain = None if part is None else part.columns.get(PREDICTION_CLASS)
    if plain is None:
        return []
    profile = profile_of(plain)
    return list(profile.words) if isinstance(profile, CategoryProfile) else []


def _kind(profile: AnyProfile) -> str:
    return "numeric" if isinstance(profile, NumericProfile) else "category"
