"""Rows of Parquet files arrive as JSON, with everything JSON can say."""

import datetime as dt
import decimal
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anchorwatch.errors import NoData, PositionLost
from anchorwatch.events.records import Partition
from anchorwatch.transport.files import FileSource

A = Partition("t", 0)


def write(path, columns, **more):
    pq.write_table(pa.table(columns), path, **more)
    return FileSource({"t": [str(path)]})


def rows(source, limit=10_000):
    found = []
    while polled := source.poll(limit, 0.0):
        found += [json.loads(value) for r in polled for value in r.values]
    return found


def test_numbers_text_truth_and_nothing_are_themselves(tmp_path):
    columns = {"i": [1, None], "f": [0.1, 2.0], "s": ["é", None], "b": [True, False]}
    assert rows(write(tmp_path / "a.parquet", columns)) == [
        {"i": 1, "f": 0.1, "s": "é", "b": True},
        {"i": None, "f": 2.0, "s": None, "b": False},
    ]


def test_what_is_not_finite_is_null(tmp_path):
    columns = {"f": [float("nan"), float("inf"), -float("inf")]}
    assert rows(write(tmp_path / "a.parquet", columns)) == [{"f": None}] * 3


def test_times_are_utc_with_all_their_digits(tmp_path):
    berlin = dt.datetime(2024, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    columns = {
        "ns": pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns")),
        "tz": pa.array([berlin, None], pa.timestamp("ms", "Europe/Berlin")),
        "day": [dt.date(2024, 1, 2), None],
    }
    assert rows(write(tmp_path / "a.parquet", columns)) == [
        {"ns": "2023-11-14T22:13:20.123456789Z", "tz": "2024-01-01T00:00:00.000Z", "day": "2024-01-02"},
        {"ns": None, "tz": None, "day": None},
    ]


def test_decimals_are_numbers_and_what_is_nested_stays_nested(tmp_path):
    columns = {"d": [decimal.Decimal("1.25")], "n": [{"list": [1, 2], "deep": {"x": "y"}}]}
    assert rows(write(tmp_path / "a.parquet", columns)) == [{"d": 1.25, "n": {"list": [1, 2], "deep": {"x": "y"}}}]


@pytest.mark.parametrize("position", [0, 1, 10, 25, 29, 30])
def test_reading_goes_on_from_any_row_of_any_row_group(position, tmp_path):
    source = write(tmp_path / "a.parquet", {"i": list(range(30))}, row_group_size=10)
    source.seek({A: position})
    assert [row["i"] for row in rows(source, limit=7)] == list(range(position, 30))
    assert source.ended() == {A}


def test_a_row_that_is_not_there_is_lost(tmp_path):
    with pytest.raises(PositionLost, match="31 rows of it were read before, but it has only 30"):
        write(tmp_path / "a.parquet", {"i": list(range(30))}).seek({A: 31})


def test_what_is_no_parquet_file_is_told_with_its_name(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"not at all")
    with pytest.raises(NoData, match=r"a\.parquet: is no Parquet file"):
        rows(FileSource({"t": [str(tmp_path / "a.parquet")]}))


def test_a_followed_file_is_read_when_it_is_complete(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"i": [1]}), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    source = FileSource({"t": [str(path)]}, follow=True)
    assert rows(source) == []
    path.write_bytes(whole)
    assert rows(source) == [{"i": 1}]


def test_progress_follows_the_rows(tmp_path):
    source = write(tmp_path / "a.parquet", {"i": list(range(30))})
    total = source.progress()[1]
    source.poll(15, 0.0)
    assert source.progress() == (total // 2, total)
    rows(source)
    assert source.progress() == (total, total)


def test_without_pyarrow_the_error_says_what_to_install(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"")
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from anchorwatch.transport.files import FileSource\n"
        "FileSource({'t': [sys.argv[1]]})"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "UsageError" in done.stderr
    assert "pip install 'anchorwatch[parquet]'" in done.stderr
