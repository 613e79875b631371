"""Detectors by name: the built-in ones, those of third parties, and any of river's by import path.

A third party adds one with an entry point of the group `anchorwatch.detectors`, whose name is the detector's::

    [project.entry-points."anchorwatch.detectors"]
    my_detector = "my_package.my_module:MyDetector"

Its role is told by its base class. Nothing is imported before it is asked for by name, except third parties when a
role's names are listed.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, Literal

from anchorwatch_detectors.base import SequentialDetector, WindowTest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import EntryPoint

Role = Literal["sequential", "window"]

GROUP: Final = "anchorwatch.detectors"
"""Entry point group of third parties."""

_ROLES: Final[dict[Role, type[SequentialDetector | WindowTest]]] = {
    "sequential": SequentialDetector,
    "window": WindowTest,
}

_BUILT_IN: Final[dict[Role, dict[str, str]]] = {
    "sequential": {
        "adwin": "anchorwatch_detectors.sequential.adwin:Adwin",
        "cusum": "anchorwatch_detectors.sequential.cusum:Cusum",
        "ddm": "anchorwatch_detectors.sequential.ddm:Ddm",
        "eddm": "anchorwatch_detectors.sequential.eddm:Eddm",
        "ewma": "anchorwatch_detectors.sequential.ewma:Ewma",
        "fhddm": "anchorwatch_detectors.sequential.fhddm:Fhddm",
        "glr": "anchorwatch_detectors.sequential.glr:Glr",
        "hddm_a": "anchorwatch_detectors.sequential.hddm_a:HddmA",
        "hddm_w": "anchorwatch_detectors.sequential.hddm_w:HddmW",
        "kswin": "anchorwatch_detectors.sequential.kswin:Kswin",
        "optwin": "anchorwatch_detectors.sequential.optwin:Optwin",
        "page_hinkley": "anchorwatch_detectors.sequential.page_hinkley:PageHinkley",
        "rddm": "anchorwatch_detectors.sequential.rddm:Rddm",
        "seed": "anchorwatch_detectors.sequential.seed:Seed",
        "shewhart": "anchorwatch_detectors.sequential.shewhart:Shewhart",
        "shiryaev_roberts": "anchorwatch_detectors.sequential.shiryaev_roberts:ShiryaevRoberts",
        "shiryaev_roberts_ranks": "anchorwatch_detectors.sequential.shiryaev_roberts_ranks:ShiryaevRobertsRanks",
        "stepd": "anchorwatch_detectors.sequential.stepd:Stepd",
    },
    "window": {
        "anderson_darling": "anchorwatch_detectors.window.anderson_darling:AndersonDarling",
        "chi_square": "anchorwatch_detectors.window.chi_square:ChiSquare",
        "cramer_von_mises": "anchorwatch_detectors.window.cramer_von_mises:CramerVonMises",
        "energy_distance": "anchorwatch_detectors.window.energy_distance:EnergyDistance",
        "epps_singleton": "anchorwatch_detectors.window.epps_singleton:EppsSingleton",
        "fisher_exact": "anchorwatch_detectors.window.fisher_exact:FisherExact",
        "g_test": "anchorwatch_detectors.window.g_test:GTest",
        "hellinger": "anchorwatch_detectors.window.hellinger:Hellinger",
        "jensen_shannon": "anchorwatch_detectors.window.jensen_shannon:JensenShannon",
        "kolmogorov_smirnov": "anchorwatch_detectors.window.kolmogorov_smirnov:KolmogorovSmirnov",
        "kuiper": "anchorwatch_detectors.window.kuiper:Kuiper",
        "mann_whitney": "anchorwatch_detectors.window.mann_whitney:MannWhitney",
        "psi": "anchorwatch_detectors.window.psi:Psi",
        "total_variation": "anchorwatch_detectors.window.total_variation:TotalVariation",
        "wasserstein": "anchorwatch_detectors.window.wasserstein:Wasserstein",
    },
}


class Registry:
    """Names and the classes they stand for.

    Parameters
    ----------
    third_parties
        Entry points beside the built-in detectors.

    Raises
    ------
    ValueError
        If two detectors have one name.
    """

    def __init__(self, third_parties: Iterable[EntryPoint] = ()) -> None:
        built_in = {name for paths in _BUILT_IN.values() for name in paths}
        self._third_parties: dict[str, EntryPoint] = {}
        for entry in third_parties:
            other = "a built-in one" if entry.name in built_in else None
            if entry.name in self._third_parties:
                other = self._third_parties[entry.name].value
            if other is not None:
                raise ValueError(
                    f"the detector name {entry.name!r} is taken twice, by {entry.value} and {other}: a configuration "
                    f"that names it would be ambiguous; rename or uninstall one (entry point group {GROUP})"
                )
            self._third_parties[entry.name] = entry

    def names(self, role: Role) -> list[str]:
        """Return the names of a role, sorted; imports third parties, whose role only their class tells."""
        base = _ROLES[role]
        others = [name for name, entry in self._third_parties.items() if issubclass(_loaded(entry), base)]
        return sorted([*_BUILT_IN[role], *others])

    def find(self, role: Role, name: str) -> type[Any]:
        """Return the class of a name.

        Raises
        ------
        ValueError
            If no detector of this role has the name; the message says which was meant.
        """
        if path := _BUILT_IN[role].get(name):
            module, _, attribute = path.partition(":")
            found: type[Any] = getattr(importlib.import_module(module), attribute)
            return found
        if (entry := self._third_parties.get(name)) and issubclass(found := _loaded(entry), _ROLES[role]):
            return found
        raise ValueError(self._unknown(role, name))

    def _unknown(self, role: Role, name: str) -> str:
        known = self.names(role)
        (other,) = set(_ROLES) - {role}
        if name in self.names(other):
            return f"{name!r} is a {other} detector, not a {role} one; {role} are: {', '.join(known)}"
        close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.5)
        meant = f", did you mean {close[0]!r}?" if close else ""
        return f"there is no {role} detector named {name!r}{meant}; known are: {', '.join(known)}"


def sequential(name: str, parameters: Mapping[str, Any] | None = None) -> SequentialDetector:
    """Return a sequential detector.

    Parameters
    ----------
    name
        A registered name, or the import path of a drift detector of river ("river.drift.KSWIN").
    parameters
        Parameters by name; those left out have their defaults.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown or a parameter is out of its range.

    Examples
    --------
    >>> sequential("adwin", {"delta": 0.01})
    Adwin(delta=0.01, clock=32, max_buckets=5, min_window_length=5, grace_period=10)
    """
    if "." in name:
        from anchorwatch_detectors.sequential.river_any import RiverAny

        return RiverAny(name, dict(parameters or {}))
    made: SequentialDetector = _made(name, installed().find("sequential", name), dict(parameters or {}))
    return made


def window(name: str, parameters: Mapping[str, Any] | None = None) -> WindowTest:
    """Return a window test; parameters and errors as for `sequential`, without import paths."""
    made: WindowTest = _made(name, installed().find("window", name), dict(parameters or {}))
    return made


def names(role: Role) -> list[str]:
    """Return the names registered for a role, sorted."""
    return installed().names(role)


@functools.cache
def installed() -> Registry:
    """Return the registry of what is installed in this environment."""
    return Registry(entry_points(group=GROUP))


def _loaded(entry: EntryPoint) -> type[Any]:
    found = entry.load()
    fits = isinstance(found, type) and issubclass(found, tuple(_ROLES.values()))
    if not fits:
        raise ValueError(
            f"the entry point {entry.name} = {entry.value} ({GROUP}) is not a class derived from SequentialDetector "
            "or WindowTest: it cannot serve as a detector; correct it or uninstall its package"
        )
    loaded: type[Any] = found
    return loaded


def _made(name: str, detector: type[Any], parameters: dict[str, Any]) -> Any:
    """Return a detector with parameters, an unknown one of them told by name."""
    known = list(inspect.signature(detector).parameters)
    for parameter in parameters:
        if parameter not in known:
            close = difflib.get_close_matches(parameter, known, n=1, cutoff=0.5)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{name} has no parameter {parameter!r}{meant} ({has})")
    return detector(**parameters)
