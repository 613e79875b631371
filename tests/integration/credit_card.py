"""The three-class credit-card data that nannyml brings: 60,000 reference rows, 60,000 analysis rows, and their labels.

At row `CHANGE` of the 120,000 the model's accuracy falls from .755 to .565 and its features move; before, nothing does.
The data stand in the wheel of nannyml, which is fetched once and never installed; only the tables are taken out of it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROWS = 60_000
"""Of each half, and of the labels of the second."""
CHANGE = 90_000
"""Row (0-based) from which on the model is worse."""
LABEL_DELAY = timedelta(seconds=30)
"""How long after its prediction a label is known; the data themselves give labels no time."""
NUMERIC = ("app_behavioral_score", "requested_credit_limit", "credit_bureau_score", "stated_income")
CATEGORIES = ("acq_channel", "app_channel", "is_customer")

_TABLES = ("mc_reference.csv", "mc_analysis.csv", "mc_analysis_gt.csv")
CAR_LOAN = tuple(f"synthetic_car_loan_{part}.csv" for part in ("reference", "analysis", "analysis_target"))
"""Tables of another model in the same wheel; at row 75,000 of 100,000 its errors rise from .056 to .084."""
_WANTED = Path(__file__).with_name("nannyml.txt")


class DataMissing(Exception):
    """The data cannot be had; the message says why and what to do."""


def cache_directory() -> Path:
    """Return where the tables are kept from run to run; git ignores the default."""
    named = os.environ.get("ANCHORWATCH_TEST_DATA")
    return Path(named) if named else Path(__file__).parents[2] / ".cache" / "data"


def tables(names: tuple[str, ...] = _TABLES) -> dict[str, Path]:
    """Return tables by name, fetched where they are not there yet.

    Raises
    ------
    DataMissing
        They cannot be had.
    """
    cache = cache_directory()
    paths = {name: cache / name for name in names}
    if not all(path.exists() for path in paths.values()):
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as place, zipfile.ZipFile(_fetched(Path(place))) as wheel:
            for name, path in paths.items():
                part = Path(place) / name
                part.write_bytes(wheel.read(f"nannyml/datasets/data/{name}"))
                part.replace(path)  # whole or not at all, whoever fetches at the same time
    return paths


def _fetched(place: Path) -> Path:
    """Fetch the wheel: its hash is known, and it need not suit this Python, for nothing of it is run."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    how = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--require-hashes"]
    done = subprocess.run(
        [*pip, *how, "--requirement", str(_WANTED), "--dest", str(place)], capture_output=True, text=True, check=False
    )
    found = list(place.glob("nannyml-*.whl"))
    if done.returncode != 0 or not found:
        raise DataMissing(
            f"the credit-card data cannot be had: pip ended with {done.returncode}: {done.stderr.strip()[-1000:]}\n"
            f"They are fetched once, from the wheel that {_WANTED.name} names, into {cache_directory()}: connect this "
            "machine to a package index, or put the tables there (ANCHORWATCH_TEST_DATA names another directory), "
            "or leave these tests out with: make test-offline"
        )
    return found[0]


@dataclass(frozen=True)
class CreditCard:
    """The rows, in order: `predictions[i]` and `labels[i]` are one event each, and `times[i]` is that of the label."""

    predictions: list[dict[str, object]]
    labels: list[dict[str, str]]
    times: list[datetime]

    def labelled_from_change_until(self, moment: datetime) -> int:
        """Return how many labels came from row `CHANGE` on until a moment."""
        return sum(time <= moment for time in self.times[CHANGE:])


def load() -> CreditCard:
    """Read the rows; raises `DataMissing`."""
    paths = tables()
    truth = {row["id"]: row["y_true"] for row in _read(paths["mc_analysis_gt.csv"])}
    predictions, labels, times = [], [], []
    for name in _TABLES[:2]:
        for row in _read(paths[name]):
            known = row.pop("y_true", None) or truth[row["id"]]
            time = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC) + LABEL_DELAY
            predictions.append({key: float(value) if key in NUMERIC else value for key, value in row.items()})
            labels.append({"id": row["id"], "ts": time.isoformat(), "y": known})
            times.append(time)
    return CreditCard(predictions, labels, times)


def _read(path: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    if len(rows) != ROWS:
        raise DataMissing(f"{path} has {len(rows)} rows, not {ROWS}: delete it, and it is fetched again")
    return rows


def write(rows: list[dict[str, object]], path: Path) -> Path:
    """Write rows as Parquet, with the types they have, or as one JSON object a line: as the name of the file ends."""
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=20_000)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
