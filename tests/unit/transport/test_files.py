"""Files are partitions: everything in them is given once, in order, with its row number."""

import gzip
import os
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.errors import NoData, PositionLost, UsageError
from anchorwatch.events.records import Partition
from anchorwatch.testing import ManualClock
from anchorwatch.transport import files, lines
from anchorwatch.transport.files import FileSource

A, B = Partition("t", 0), Partition("t", 1)


@pytest.fixture
def put(tmp_path):
    def write(name, content, mode="wb"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        with path.open(mode) as file:
            file.write(content)
        return path

    return write


OPENED = []


@pytest.fixture(autouse=True)
def _close_all():
    yield
    while OPENED:
        OPENED.pop().close()


def source(*paths, **more):
    OPENED.append(FileSource({"t": [str(path) for path in paths]}, **more))
    return OPENED[-1]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def drain(from_source, limit=1000):
    """Return (offset, value) of all that comes, by partition number."""
    found = {}
    while polled := from_source.poll(limit, 0.0):
        for r in polled:
            found.setdefault(r.partition.number, []).extend(zip(r.offsets, r.values, strict=True))
    return found


def values(from_source):
    return [value for rows in drain(from_source).values() for _, value in rows]


# Lines


def test_a_line_is_given_as_it_is_without_its_end(put):
    path = put("a.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n\n \xff broken \n{"b":2}')
    assert drain(source(path)) == {0: [(0, b'{"a": 1}'), (1, None), (2, b" \xff broken "), (3, b'{"b":2}')]}


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), st.integers(1, 7))
def test_any_lines_come_back_whatever_the_blocks_and_polls(tmp_path_factory, rows, limit):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_bytes(b"x" + b"\n".join(rows) + b"\n")
    expected = [(row.removesuffix(b"\r") or None) for row in (b"x" + b"\n".join(rows)).split(b"\n")]
    got = [value for _, value in drain(source(path), limit)[0]]
    assert got == expected


def test_lines_longer_than_a_block_are_whole(put):
    long = b'"' + b"x" * (3 * lines.BLOCK) + b'"'
    assert values(source(put("a.jsonl", b"1\n" + long + b"\n2\n"))) == [b"1", long, b"2"]


def test_a_line_that_never_ends_is_cut_and_marked_and_the_next_one_is_whole(put):
    huge = b"x" * (lines.LONGEST + 10)
    got = values(source(put("a.jsonl", b"1\n" + huge + b"\n2\n" + huge)))
    assert got == [b"1", huge[: lines.KEPT] + lines.CUT, b"2", huge[: lines.KEPT] + lines.CUT]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("position", [0, 2, 3])
def test_compressed_lines_are_read_and_sought_in(suffix, position, put):
    pack = gzip.compress if suffix == ".gz" else zstandard.compress
    reader = source(put(f"a.jsonl{suffix}", pack(b"0\n1\n") + pack(b"2\n")))
    reader.seek({A: position})
    assert values(reader) == [b"0", b"1", b"2"][position:]
    assert reader.ended() == {A}


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_damaged_compressed_file_is_told_with_its_name(suffix, put):
    pack = gzip.compress if suffix == ".gz" else zstandard.compress
    whole = pack(os.urandom(5000) + b"\n")
    with pytest.raises(NoData, match=rf"a\.jsonl\{suffix}: is damaged"):
        values(source(put(f"a.jsonl{suffix}", b"junk" + whole)))


# CSV


def test_csv_rows_are_objects_of_text_with_null_for_nothing(put):
    reader = source(put("a.csv", b'x,y\n1,\n"a\nb","q""q"\n'))
    (records,) = reader.poll(10, 0.0)
    assert list(records.values) == [b'{"x":"1","y":null}', b'{"x":"a\\nb","y":"q\\"q"}']
    assert records.text_values


def test_a_row_that_does_not_fit_is_given_as_no_object_and_the_others_go_on(put):
    reader = source(put("a.csv", b"x,y\n1,2,3\n1\n\n\xff,2\n7,8\n"))
    assert values(reader) == [b'["1","2","3"]', b'["1"]', None, b"\xff,2", b'{"x":"7","y":"8"}']


def test_a_quote_that_is_never_closed_swallows_a_bounded_part_and_is_no_object(put):
    rows = b"".join(b"%d,%s\n" % (i, b"x" * 50) for i in range(5000))
    got = values(source(put("a.csv", b'x,y\n1,2\n3,"4\n' + rows)))
    assert got[0] == b'{"x":"1","y":"2"}'
    assert got[1].startswith(b"[")
    assert len(got) > 2000


def test_tabs_separate_where_the_name_says_so_and_csv_may_be_compressed(put):
    assert values(source(put("a.tsv", b"x\ty\n1\t2,3\n"))) == [b'{"x":"1","y":"2,3"}']
    assert values(source(put("b.csv.gz", gzip.compress(b"x\n1\n")))) == [b'{"x":"1"}']


def test_csv_is_sought_in_by_rows_and_not_by_lines(put):
    reader = source(put("a.csv", b'x,y\n"a\nb",1\nc,2\n'))
    reader.seek({A: 1})
    assert drain(reader) == {0: [(1, b'{"x":"c","y":"2"}')]}


def test_two_columns_of_one_name_are_refused(put):
    with pytest.raises(UsageError, match=r"\['x'\] stands there more than once"):
        source(put("a.csv", b"x,x\n1,2\n")).poll(1, 0.0)


# Side by side


def test_partitions_are_the_files_in_the_order_of_their_paths(put, tmp_path):
    put("b.jsonl", b"b\n")
    put("a.jsonl", b"a\n")
    put("sub/c.jsonl", b"c\n")
    reader = source(tmp_path / "*.jsonl", tmp_path / "a.jsonl")
    assert [(p, path.name) for p, path in sorted(reader.paths.items())] == [(A, "a.jsonl"), (B, "b.jsonl")]
    assert drain(reader) == {0: [(0, b"a")], 1: [(0, b"b")]}
    assert len(source(tmp_path / "**" / "*.jsonl").partitions()) == 3


def test_every_poll_takes_of_every_file_and_a_paused_one_waits(put):
    reader = source(put("a.jsonl", b"a\n" * 10), put("b.jsonl", b"b\n" * 10))
    assert {r.partition: len(r.values) for r in reader.poll(6, 0.0)} == {A: 3, B: 3}
    assert {r.partition: len(r.values) for r in reader.poll(6, 0.0, paused={A})} == {B: 6}
    assert {p: len(rows) for p, rows in drain(reader).items()} == {0: 7, 1: 1}
    assert reader.ended() == {A, B}


def test_more_files_than_may_be_open_are_read_all_the_same(put, tmp_path):
    count = files.MOST_OPEN + 5
    for i in range(count):
        put(f"{i:03}.jsonl", b"%d\n" % i * 3)
    reader = source(tmp_path / "*.jsonl")
    before = open_files()
    reader.poll(count, 0.0)
    assert open_files() - before <= files.MOST_OPEN
    assert all(len(rows) >= 2 for rows in drain(reader, count).values())
    reader.close()


def test_reading_goes_on_from_the_positions_back_and_forth(put):
    reader = source(put("a.jsonl", b"".join(b"%d\n" % i for i in range(1000))))
    for position in (990, 5, 1000, 0):
        reader.seek({A: position})
        assert drain(reader).get(0, [(None, None)])[0] == (
            (position, b"%d" % position) if position < 1000 else (None, None)
        )


def test_a_position_behind_the_end_of_a_file_is_lost(put):
    for name, content in (("a.jsonl", b"1\n2\n"), ("a.csv", b"x\n1\n2\n")):
        with pytest.raises(PositionLost, match=r"3 .* of it were read before, but it has only 2"):
            source(put(name, content)).seek({A: 3})


def test_a_file_that_is_not_there_any_more_at_the_next_start_is_lost(put):
    with pytest.raises(PositionLost, match="t/1: was read before"):
        source(put("a.jsonl", b"")).seek({A: 0, B: 0})


def test_progress_goes_from_nothing_to_all_bytes(put):
    reader = source(put("a.jsonl", b"1\n" * 50), put("b.csv", b"x\n1\n"), put("c.jsonl.gz", gzip.compress(b"1\n")))
    total = reader.progress()[1]
    assert reader.progress() == (0, total)
    drain(reader)
    assert reader.progress() == (total, total)


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("nothing.jsonl", UsageError, "there is no such file"),
        ("*.jsonl", NoData, "no file fits this pattern"),
        ("", UsageError, "is a directory; name its files"),
        ("a.xml", UsageError, "its kind is not known by its name; rename it to end in one of .jsonl"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(name, error, reason, put, tmp_path):
    put("a.xml", b"")
    with pytest.raises(error, match=reason):
        source(tmp_path / name)


# Files that grow


def test_a_line_is_given_when_its_end_has_been_written(put):
    path = put("a.jsonl", b'{"a"')
    reader = source(path, follow=True)
    assert drain(reader) == {}
    put("a.jsonl", b': 1}\n{"b"', "ab")
    assert drain(reader) == {0: [(0, b'{"a": 1}')]}
    put("a.jsonl", b": 2}\n", "ab")
    assert drain(reader) == {0: [(1, b'{"b": 2}')]}
    assert reader.ended() == set()


def test_a_csv_row_is_given_when_all_its_lines_have_been_written(put):
    path = put("a.csv", b'x,y\n1,"a\n')
    reader = source(path, follow=True)
    assert drain(reader) == {}
    put("a.csv", b'b"\n2,c\n', "ab")
    assert drain(reader) == {0: [(0, b'{"x":"1","y":"a\\nb"}'), (1, b'{"x":"2","y":"c"}')]}


def test_a_new_file_that_fits_the_pattern_is_found_and_read_from_its_beginning(put, tmp_path):
    put("1.jsonl", b"1\n")
    reader = source(tmp_path / "*.jsonl", follow=True)
    drain(reader)
    put("2.jsonl", b"2\n")
    assert list(reader.partitions()) == [A, B]
    assert drain(reader) == {1: [(0, b"2")]}


def test_a_new_file_that_would_change_the_numbers_of_the_others_is_refused(put, tmp_path):
    put("2.jsonl", b"2\n")
    reader = source(tmp_path / "*.jsonl", follow=True)
    put("1.jsonl", b"1\n")
    with pytest.raises(UsageError, match="sorts before it"):
        reader.partitions()


@pytest.mark.parametrize("what", ["truncated", "removed", "replaced"])
def test_a_followed_file_that_is_not_what_it_was_is_lost(what, put, tmp_path):
    path = put("a.jsonl", b"1\n2\n")
    reader = source(path, follow=True)
    drain(reader)
    if what == "truncated":
        put("a.jsonl", b"3\n", "r+b")
        os.truncate(path, 2)
    else:
        path.rename(tmp_path / "a.jsonl.1")
        if what == "replaced":
            put("a.jsonl", b"1\n2\n3\n")
    with pytest.raises(PositionLost, match=f"was {what} after 2 lines"):
        reader.poll(1, 0.0)


def test_a_poll_of_followed_files_waits_as_long_as_told(put):
    clock = ManualClock()
    reader = source(put("a.jsonl", b"1\n"), follow=True, clock=clock)
    assert len(reader.poll(10, 5.0)) == 1
    assert clock.monotonic() == 0
    assert reader.poll(10, 5.0) == []
    assert clock.monotonic() == pytest.approx(5.0)
