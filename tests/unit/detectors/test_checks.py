"""Each check of the contract finds the detector that breaks it."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from anchorwatch_detectors import checks
from anchorwatch_detectors.alarms import Hit
from anchorwatch_detectors.comparison import ColumnKind, Comparison, WindowTest
from anchorwatch_detectors.contract import Broken
from anchorwatch_detectors.lanes import LaneDetector, Lanes, check_row
from anchorwatch_detectors.parameters import check_real
from anchorwatch_detectors.sequential.adwin import Adwin
from anchorwatch_detectors.sequential.page_hinkley import PageHinkley
from anchorwatch_detectors.window.psi import Psi
from anchorwatch_detectors.window.total_variation import TotalVariation


@dataclass(frozen=True, slots=True)
class Plain(LaneDetector):
    """Rings for a mean that rises above its first twenty values by more than a bound; a lane is (n, first, mean)."""

    name: ClassVar[str] = "plain"

    bound: float = 0.4

    def __post_init__(self):
        check_real(self.name, "bound", self.bound, above=0.0)

    def feed(self, lane, values):
        n, first, late = (0.0, 0.0, 0.0) if lane is None else lane
        hits = []
        for position, x in enumerate(values):
            n += 1.0
            if n <= 20.0:
                first += (x - first) / n
            else:
                late += (x - late) / min(n - 20.0, 50.0)
            if n > 70.0 and late - first > self.bound:
                hits.append(Hit(position, late - first, self.bound, int(n - 20.0), first, late))
                n, first, late = 0.0, 0.0, 0.0
        return (n, first, late), hits

    def check(self, lane):
        return check_row(self.name, lane, 3)


class Forgetful(Plain):
    """Begins anew with every block."""

    def feed(self, lane, values):
        return super().feed(None, values)


class Impure(Plain):
    """Keeps its lanes in lists that later values change."""

    def feed(self, lane, values):
        new, hits = super().feed(None if lane is None else tuple(lane), values)
        if lane is None:
            return list(new), hits
        lane[:] = new
        return lane, hits


class Unplain(Plain):
    """Keeps complex numbers."""

    def feed(self, lane, values):
        new, hits = super().feed(None if lane is None else tuple(x.real for x in lane), values)
        return tuple(map(complex, new)), hits


class Gullible(Plain):
    """Takes anything for a state."""

    def restore(self, plain):
        return self.start(int(plain.get("groups", 1)), int(plain.get("subjects", 1)))


class Swallowing(Plain):
    """Lets huge values into its sums."""

    def domain(self):
        return -np.finfo(np.float64).max, np.finfo(np.float64).max


class Jumpy(Plain):
    """Raises an alarm at every tenth value."""

    def feed(self, lane, values):
        n = 0.0 if lane is None else lane[0]
        _, hits = super().feed(None, [0.0] * 100 + [1.0] * 80)
        at = [i for i in range(len(values)) if (n + i + 1) % 10 == 0]
        return (n + len(values),) * 3, [hits[0]._replace(position=i) for i in at]


class Deaf(Plain):
    """Never raises an alarm."""

    def feed(self, lane, values):
        new, _ = super().feed(lane, [0.0] * len(values))
        return new, []


class Timeless(Plain):
    """Says that nothing came after the change."""

    def feed(self, lane, values):
        new, hits = super().feed(lane, values)
        return new, [hit._replace(since=0) for hit in hits]


class Careless(Plain):
    """Takes any parameter."""

    def __post_init__(self):
        pass


class Altered(LaneDetector):
    """The plain detector with another kind of lanes."""

    name = "altered"
    lanes = Lanes

    def __init__(self):
        self._inner = Plain()

    def feed(self, lane, values):
        return self._inner.feed(lane, values)

    def check(self, lane):
        return self._inner.check(lane)

    def parameters(self):
        return {}

    def start(self, groups, subjects, usual=None):
        state = super().start(groups, subjects, usual)
        return self.lanes(self, state._lanes, state.taken, state.passed_over)


class NanAsZero(Altered):
    class lanes(Lanes):  # noqa: N801 - stands where the attribute stands
        def update(self, values, groups=None):
            return super().update(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), groups)


class OneGroup(Altered):
    class lanes(Lanes):  # noqa: N801 - stands where the attribute stands
        def update(self, values, groups=None):
            alarms = super().update(values, None if groups is None else np.where(groups > 0, 0, groups))
            return alarms if groups is None else replace(alarms, group=groups[alarms.event])


class NeverGrows(Altered):
    class lanes(Lanes):  # noqa: N801 - stands where the attribute stands
        def grow(self, groups):
            pass


class Unchecked(Altered):
    class lanes(Lanes):  # noqa: N801 - stands where the attribute stands
        def update(self, values, groups=None):
            try:
                return super().update(values, groups)
            except ValueError:
                return super().update(np.empty((self.shape[1], 0)))


SEQUENTIAL = {
    "check_cutting_changes_nothing": Forgetful(),
    "check_restored_state_continues": Unplain(),
    "check_foreign_state_is_refused": Gullible(),
    "check_copy_is_independent": Impure(),
    "check_plain_state_is_a_snapshot": Impure(),
    "check_bad_values_are_passed_over": NanAsZero(),
    "check_huge_values_stop_no_detection": Swallowing(),
    "check_lanes_are_independent": OneGroup(),
    "check_constants_are_silent": Jumpy(),
    "check_large_change_is_found": Deaf(),
    "check_alarms_are_in_order": Timeless(),
    "check_growing_and_resetting": NeverGrows(),
    "check_baselines_stay": Forgetful(),
    "check_misfits_are_refused": Unchecked(),
    "check_parameters_are_validated": Careless(),
}


@dataclass(frozen=True)
class Bent(WindowTest):
    """Total variation with one thing wrong."""

    name: ClassVar[str] = "bent"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset(ColumnKind)
    smallest_effect: ClassVar[float] = 0.1

    wrong: str

    def measure(self, reference, current, position):
        raise NotImplementedError

    def tail(self, statistic, reference, current, position):
        raise NotImplementedError

    def compare(self, reference, current, position=None, *, inflation=None, p_values=True):
        if self.wrong == "changes its input":
            reference += 1
        taken = None if self.wrong == "takes values for independent" else inflation
        wanted = p_values or self.wrong == "always works out p-values"
        said = TotalVariation().compare(reference, current, position, inflation=taken, p_values=wanted)
        effect, statistic, p_value = said.effect, said.statistic, said.p_value
        match self.wrong:
            case "one value for all":
                effect = effect[:1]
            case "looks at its neighbours":
                effect = effect + np.arange(len(effect))
            case "counts padding":
                effect = effect * reference.shape[1]
            case "never zero":
                statistic = statistic + 0.01
            case "zero for empty":
                effect = np.nan_to_num(effect)
            case "upside down":
                effect = 1.0 / (1.0 + effect)
            case "signed":
                effect = -effect
            case "grows with the sample":
                effect = effect * np.sqrt(current.sum(axis=1))
        return Comparison(statistic, p_value, effect)


class CarelessPsi(Psi):
    """Takes any parameter."""

    def __post_init__(self):
        pass


WINDOW = {
    "check_result_has_one_value_a_column": Bent("one value for all"),
    "check_columns_are_independent": Bent("looks at its neighbours"),
    "check_padding_changes_nothing": Bent("counts padding"),
    "check_equal_sides_do_not_differ": Bent("never zero"),
    "check_empty_sides_are_nan": Bent("zero for empty"),
    "check_larger_shift_has_larger_effect": Bent("upside down"),
    "check_effect_is_a_finite_size": Bent("signed"),
    "check_effect_does_not_grow_with_the_sample": Bent("grows with the sample"),
    "check_inflation_weakens_the_p_value_alone": Bent("takes values for independent"),
    "check_p_values_are_given_where_wanted": Bent("always works out p-values"),
    "check_inputs_are_left_alone": Bent("changes its input"),
    "check_parameters_are_validated": CarelessPsi(),
}


@pytest.mark.parametrize("check", checks.for_sequential(), ids=lambda check: check.__name__)
def test_each_sequential_check_finds_what_breaks_it(check):
    with pytest.raises(Broken):
        check(SEQUENTIAL[check.__name__])


@pytest.mark.parametrize("check", checks.for_window(), ids=lambda check: check.__name__)
def test_each_window_check_finds_what_breaks_it(check):
    with pytest.raises(Broken):
        check(WINDOW[check.__name__])


def test_a_third_party_detector_with_its_own_lanes_can_keep_the_contract():
    for check in checks.for_sequential():
        check(Altered())


def test_a_restored_state_of_another_detector_or_other_parameters_is_refused():
    plain = Adwin(delta=0.01).start(1, 1).to_plain()
    for other in (Adwin(), PageHinkley()):
        with pytest.raises(ValueError, match="stored state has"):
            other.restore(plain)
