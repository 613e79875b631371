"""Baselines made of a log, and how two of them differ."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.app import replayed, topics_of
from anchorwatch.engine.baseline import profile_of
from anchorwatch.engine.building import cycles_of, of_everything
from anchorwatch.engine.cycles import proposed
from anchorwatch.engine.season import LENGTH, SLOT
from anchorwatch.engine.state import fresh
from anchorwatch.engine.watch import compile_watch
from anchorwatch.errors import NoData, UsageError
from anchorwatch.events.decode import Decoder
from anchorwatch.host import Host, Pace, Parts
from anchorwatch.hosted import Model
from anchorwatch.store.store import Store
from anchorwatch.transport.nowhere import Nowhere
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.engine.baseline import AnyProfile, Baseline
    from anchorwatch.engine.cycles import Found
    from anchorwatch.engine.season import Cycle
    from anchorwatch.engine.state import Version
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.records import Source
    from anchorwatch.settings.models import Settings

ALL = 10**15  # more rows than any log holds: everything is gathered, nothing is watched


class Built(NamedTuple):
    """A baseline made of a log.

    Attributes
    ----------
    baseline
        The baseline.
    accounting
        What became of every record of the log, by name.
    cycles
        Cycles of the day or week that were found in it, the strongest first.
    proposed
        The season that would suit them, where it is not the one the baseline has; None for none.
    """

    baseline: Baseline
    accounting: dict[str, int]
    cycles: list[Found]
    proposed: Cycle | None


class Gathered(NamedTuple):
    """The rows of one version in a log.

    Attributes
    ----------
    watch
        Of its model, without a baseline.
    version
        With all its rows gathered, and nothing watched.
    accounting
        What became of every record of the log, by name.
    """

    watch: Watch
    version: Version
    accounting: dict[str, int]


def gather(settings: Settings, name: str, source: Source, clock: Clock, version: str | None = None) -> Gathered:
    """Return all rows of a log; parameters and errors are those of `build`."""
    model = settings.models[name]
    watch = compile_watch(settings.source, name, model, None, installed("anchorwatch"))
    gathering = replace(watch, first=ALL, first_labelled=ALL, cycle=watch.cycle or "day")  # with the time of day
    held = Model(gathering, Decoder(name, model), topics_of(model), model.event_time, fresh(gathering))
    store = Store.open(Path(":memory:"), holder="baseline build", now=clock.now())
    pace = Pace(checkpoint=3600.0, heartbeat=3600.0)
    try:
        replayed([Host([held], Parts(source, Nowhere(), store, clock), settings.source, settings.outputs, pace)])
    finally:
        store.close()
    return Gathered(watch, _chosen(held.state.versions, name, version), held.state.accounting())


def build(settings: Settings, name: str, source: Source, clock: Clock, version: str | None = None) -> Built:
    """Return the baseline of all rows of a log.

    Parameters
    ----------
    settings, name
        The configuration and the model in it; its own `baseline` does not matter here.
    source
        The log; all its partitions end.
    clock
        Time, for the host.
    version
        Which version's rows to take; not needed where there is only one.

    Raises
    ------
    UsageError
        If the log holds several versions and none was chosen, or not the one that was; or less than a whole cycle
        where a season is set.
    NoData
        If there is no row.
    """
    gathered = gather(settings, name, source, clock, version)
    baseline = summary_of(gathered)
    _check_cycle(baseline)
    cycles = cycles_of(gathered.watch, gathered.version, baseline)
    season = proposed(cycles)
    return Built(baseline, gathered.accounting, cycles, None if season == gathered.watch.cycle else season)


def summary_of(gathered: Gathered) -> Baseline:
    """Return the baseline of rows; raises NoData if there is none."""
    baseline = of_everything(gathered.watch, gathered.version)
    if baseline is None:
        raise NoData(_NOTHING.format(name=gathered.watch.name))
    return baseline


def _check_cycle(baseline: Baseline) -> None:
    part = baseline.predictions
    if baseline.cycle is not None and part is not None and part.end - part.start < LENGTH[baseline.cycle] - SLOT:
        hours = (part.end - part.start) / (2 * SLOT)
        raise UsageError(
            f"the log covers {hours:.1f} hours, and a baseline with season: {baseline.cycle} needs a whole "
            f"{baseline.cycle}: give it a longer log, or leave `season` out"
        )


_NOTHING = "the log holds no usable prediction of {name}, so there is nothing to make a baseline of"


def _chosen(versions: Sequence[Version], name: str, version: str | None) -> Version:
    """Return the version of that name, or the only one."""
    by_name = {each.name: each for each in versions}
    if not by_name:
        raise NoData(_NOTHING.format(name=name))
    known = ", ".join(map(repr, by_name))
    if version is None and len(by_name) > 1:
        raise UsageError(f"the log holds the versions {known}: choose one with --version")
    chosen = next(iter(by_name)) if version is None else version
    if chosen not in by_name:
        raise UsageError(f"the log holds no prediction of version {chosen!r}, but of {known}")
    return by_name[chosen]


class Difference(NamedTuple):
    """How one column of two baselines differs.

    Attributes
    ----------
    column
        Its name.
    distance
        Largest difference of the distribution functions (numeric) or total variation (category), 0 to 1; NaN where one
        side has no values.
    before, after
        What each side says of it, for people.
    """

    column: str
    distance: float
    before: str
    after: str


def difference(before: Baseline, after: Baseline) -> list[Difference]:
    """Return how the columns of two baselines differ, the most different first; columns of one side only come last."""
    sides = [_profiles(before), _profiles(after)]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    rows = [_difference(name, sides[0].get(name), sides[1].get(name)) for name in names]
    return sorted(
        rows, key=lambda row: (math.isnan(row.distance), -row.distance if row.distance == row.distance else 0)
    )


def _profiles(baseline: Baseline) -> dict[str, AnyProfile]:
    parts = [part for part in (baseline.predictions, baseline.outcomes) if part is not None]
    return {name: profile_of(plain) for part in parts for name, plain in part.columns.items()}


def _difference(name: str, before: AnyProfile | None, after: AnyProfile | None) -> Difference:
    distance = math.nan
    if isinstance(before, NumericProfile) and isinstance(after, NumericProfile) and before.n and after.n:
        knots = np.union1d(before.grid, after.grid)
        distance = float(np.abs(before.cdf(knots) - after.cdf(knots)).max())
    elif isinstance(before, CategoryProfile) and isinstance(after, CategoryProfile) and before.n and after.n:
        words = {*before.words, *after.words}
        shares = [_shares(profile) for profile in (before, after)]
        apart = sum(abs(shares[0].get(word, 0.0) - shares[1].get(word, 0.0)) for word in words)
        distance = (apart + abs(shares[0][None] - shares[1][None])) / 2
    return Difference(name, distance, described(before), described(after))


def _shares(profile: CategoryProfile) -> dict[str | None, float]:
    shares: dict[str | None, float] = dict(zip(profile.words, (profile.counts[:-1] / profile.n).tolist(), strict=True))
    shares[None] = float(profile.counts[-1] / profile.n)
    return shares


def described(profile: AnyProfile | None) -> str:
    """Return a column of a baseline in one line for people."""
    if profile is None:
        return "not there"
    if not profile.n:
        return f"no values, {profile.missing:,} missing"
    gone = f", {profile.missing:,} missing" if profile.missing else ""
    if isinstance(profile, NumericProfile):
        low, middle, high = profile.ppf([0.05, 0.5, 0.95])
        return (
            f"mean {profile.mean:.4g}, sd {profile.std:.4g}, 5 % {low:.4g}, median {middle:.4g}, 95 % {high:.4g}{gone}"
        )
    top = ", ".join(
        f"{word} {count / profile.n:.1%}" for word, count in zip(profile.words[:3], profile.counts, strict=False)
    )
    more = f", {len(profile.words) - 3} more" if len(profile.words) > 3 else ""
    return f"{top}{more}{gone}"
