"""Labelled predictions with their features: what a retraining would learn from, kept in bounded tables.

The join remembers no features, so predictions of a model with a retrain policy wait here once more, with theirs, until
their label comes. Where too many wait they are sampled by a hash of their ids. How thin the sample is changes only with
every `Keeping.block`-th prediction of the model, by what waits at that moment, so that cutting the stream does not
matter. All tables come in pieces that no longer change once they are full, and are written once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.grouping import order_of
from anchorwatch.engine.plain import pack, unpack
from anchorwatch.engine.shadow_revisions import Revised
from anchorwatch.events.columns import LATENCY, PREDICTION_CLASS, PREDICTION_SCORE, PREDICTION_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anchorwatch.decide.recovery import Recovery
    from anchorwatch.events.columns import Shape
    from anchorwatch.settings.models import Model

PIECE = 256
"""Labelled rows in one piece."""


class Keeping(NamedTuple):
    """What is kept of one model.

    Attributes
    ----------
    numeric, category
        Rows of `Shape` that are features.
    rows
        Labelled predictions of each version, the newest.
    waiting
        Predictions that wait for their label.
    wait
        How long they do, ns of event time.
    sample
        Share of the ids whose labels are joined at all.
    scored
        Whether the model is binary with a score.
    """

    numeric: tuple[int, ...]
    category: tuple[int, ...]
    rows: int
    waiting: int
    wait: int
    sample: float
    scored: bool

    @property
    def block(self) -> int:
        """Predictions between two looks at how many wait."""
        return max(self.waiting // 16, 1)

    @property
    def kept(self) -> int:
        """Labelled predictions of a version that are kept: some more than are tried on, as those are cut in steps."""
        return self.rows + self.rows // 8 + PIECE


def keeping_of(model: Model, shape: Shape) -> Keeping | None:
    """Return what is kept of a model; None where nobody would ask for it."""
    estimate = model.retrain_estimate
    if model.labels is None or not model.retrain or not estimate.enabled or model.predictions.prediction.items:
        return None
    own = {PREDICTION_SCORE, PREDICTION_VALUE, PREDICTION_CLASS, LATENCY, *model.predictions.dimensions}
    prediction = model.predictions.prediction
    return Keeping(
        numeric=tuple(i for i, name in enumerate(shape.numeric) if name not in own),
        category=tuple(i for i, name in enumerate(shape.category) if name not in own),
        rows=estimate.rows,
        waiting=estimate.waiting,
        wait=model.labels.wait,
        sample=model.labels.sample,
        scored=prediction.kind == "binary" and prediction.score is not None,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Predictions of one block that wait for a label, sorted by the first half of the id's hash.

    Attributes
    ----------
    ident, time
        (n, 2) id hash; (n,) event time, ns.
    numeric, category
        (features, n) numbers, NaN for missing; tokens, 0 for missing.
    """

    ident: NDArray[np.uint64]
    time: NDArray[np.int64]
    numeric: NDArray[np.float64]
    category: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of predictions."""
        return len(self.time)

    def take(self, index: Any) -> Waiting:
        """Return those at `index`."""
        return Waiting(self.ident[index], self.time[index], self.numeric[:, index], self.category[:, index])

    def insert(self, other: Waiting) -> tuple[Waiting, NDArray[np.int64]]:
        """Return both, sorted, and for each place the number of its row in one after the other."""
        ident = np.concatenate([self.ident, other.ident])
        order = order_of(ident[:, 0])
        both = Waiting(
            ident,
            np.concatenate([self.time, other.time]),
            np.concatenate([self.numeric, other.numeric], axis=1),
            np.concatenate([self.category, other.category], axis=1),
        )
        return both.take(order), order

    def to_plain(self) -> dict[str, Any]:
        """Return the predictions as plain data."""
        return {name: getattr(self, name) for name in Waiting.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled predictions of one version, in order of becoming known.

    Attributes
    ----------
    order
        (n,) how many labelled predictions of the version had been watched, this one included.
    known, made
        (n,) event times, ns: when its label was known, and when it was predicted.
    numeric, category
        Features as in `Waiting`.
    token, number, label_token, label_number
        (n,) as in `tables.Columns`; the label is the one it came with.
    ident
        (n,) first half of the id's hash, by which a label is replaced.
    """

    order: NDArray[np.int64]
    known: NDArray[np.int64]
    made: NDArray[np.int64]
    numeric: NDArray[np.float64]
    category: NDArray[np.uint64]
    token: NDArray[np.uint64]
    number: NDArray[np.float64]
    label_token: NDArray[np.uint64]
    label_number: NDArray[np.float64]
    ident: NDArray[np.uint64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.order)

    def take(self, index: Any) -> Labelled:
        """Return the rows at `index`."""
        return Labelled(*(getattr(self, name)[..., index] for name in Labelled.__dataclass_fields__))

    def digest(self) -> bytes:
        """Return a hash of the rows: the same rows give the same."""
        columns = (np.ascontiguousarray(getattr(self, name)) for name in Labelled.__dataclass_fields__)
        return hashlib.blake2b(b"".join(column.tobytes() for column in columns), digest_size=16).digest()

    @staticmethod
    def concat(parts: list[Labelled]) -> Labelled:
        """Return the rows of all parts, one after the other."""
        names = Labelled.__dataclass_fields__
        return Labelled(*(np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names))

    def to_plain(self) -> dict[str, Any]:
        """Return the rows as plain data."""
        return {name: getattr(self, name) for name in Labelled.__dataclass_fields__}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the rows that `to_plain` described; where their ids were not kept yet, no label is replaced."""
        return cls(**{"ident": np.zeros(len(plain["order"]), np.uint64), **plain})


@dataclass(frozen=True, slots=True)
class Shadow:
    """What is kept of one model.

    Attributes
    ----------
    seen
        Predictions so far.
    thin
        One in 2 to the power of this is kept of those that come.
    waiting, open
        Predictions by number of their block, and which of them still wait.
    labelled
        Pieces of labelled predictions by version and number of the piece.
    counted
        Labelled predictions so far, by version.
    revised
        Labels that replaced others, by version.
    known
        What was estimated before, by the hash of the rows; it can be worked out again, and is not saved.
    """

    seen: int = 0
    thin: int = 0
    waiting: Mapping[int, Waiting] = field(default_factory=dict)
    open: Mapping[int, NDArray[np.bool_]] = field(default_factory=dict)
    labelled: Mapping[int, Mapping[int, Labelled]] = field(default_factory=dict)
    counted: Mapping[int, int] = field(default_factory=dict)
    revised: Mapping[int, Revised] = field(default_factory=dict)
    known: dict[bytes, Recovery | None] = field(default_factory=dict, compare=False, repr=False)

    def trim(self, keeping: Keeping) -> Shadow:
        """Return the same without pieces that nothing later may use."""
        labelled = {
            code: {i: piece for i, piece in pieces.items() if i >= (self.counted[code] - keeping.kept) // PIECE}
            for code, pieces in self.labelled.items()
        }
        revised = {code: self.revised[code].after(PIECE * min(labelled[code])) for code in self.revised}
        return replace(self, labelled=labelled, revised={code: each for code, each in revised.items() if len(each.row)})

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the tables as plain data."""
        return {
            "seen": self.seen,
            "thin": self.thin,
            "open": {str(i): [len(mask), np.packbits(mask)] for i, mask in sorted(self.open.items())},
            "counted": {str(code): n for code, n in sorted(self.counted.items())},
            "labelled": {str(code): sorted(pieces) for code, pieces in sorted(self.labelled.items())},
            "revised": {str(code): revised.to_plain() for code, revised in sorted(self.revised.items())},
        }

    def tables(self) -> dict[str, Waiting | Labelled]:
        """Return the tables by the names under which they are saved."""
        tables: dict[str, Waiting | Labelled] = {f"shadow/waiting/{i}": table for i, table in self.waiting.items()}
        for code, pieces in self.labelled.items():
            tables |= {f"shadow/labelled/{code}/{i}": piece for i, piece in pieces.items()}
        return tables

    @classmethod
    def from_plain(cls, plain: dict[str, Any], tables: Mapping[str, dict[str, Any]]) -> Self:
        """Return what `to_plain` and `tables` described."""
        return cls(
            seen=plain["seen"],
            thin=plain["thin"],
            waiting={int(i): Waiting(**tables[f"shadow/waiting/{i}"]) for i in plain["open"]},
            open={int(i): np.unpackbits(bits, count=n).astype(np.bool_) for i, (n, bits) in plain["open"].items()},
            labelled={
                int(code): {i: Labelled.from_plain(tables[f"shadow/labelled/{code}/{i}"]) for i in pieces}
                for code, pieces in plain["labelled"].items()
            },
            counted={int(code): n for code, n in plain["counted"].items()},
            revised={int(code): Revised(*columns) for code, columns in plain.get("revised", {}).items()},
        )


def written(shadow: Shadow | None, before: Shadow | None) -> dict[str, bytes | None]:
    """Return the tables as bytes by name: those that are not the same object in `before`, None for those now gone."""
    new = {} if shadow is None else shadow.tables()
    old = {} if before is None else before.tables()
    parts: dict[str, bytes | None] = {n: pack(table.to_plain()) for n, table in new.items() if old.get(n) is not table}
    return parts | {name: None for name in old if name not in new}


def restored(plain: dict[str, Any] | None, parts: Mapping[str, bytes]) -> Shadow:
    """Return the shadow that was saved, an empty one where none was; raises as `from_plain` and `unpack` do."""
    if plain is None:
        return Shadow()
    pieces = [(code, i) for code, numbers in plain["labelled"].items() for i in numbers]
    names = [f"shadow/waiting/{i}" for i in plain["open"]] + [f"shadow/labelled/{c}/{i}" for c, i in pieces]
    return Shadow.from_plain(plain, {name: unpack(parts[name]) for name in names})
