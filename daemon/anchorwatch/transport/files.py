"""Files as a source: JSON Lines, CSV and Parquet, read side by side and, where they grow, followed."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anchorwatch.errors import NoData, PositionLost, UsageError
from anchorwatch.events.records import Partition, Records
from anchorwatch.transport.csv_rows import CsvReader
from anchorwatch.transport.lines import LineReader
from anchorwatch.transport.parquet import ParquetReader
from anchorwatch.transport.streams import COMPRESSED, open_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from anchorwatch.clock import Clock

MOST_OPEN = 64
"""Files held open at once; others are opened again where they were left."""
MOST_BYTES = 1 << 25
"""A poll ends early when it holds so many bytes."""
LOOK_FOR_NEW = 1.0
"""Seconds between two looks for new files that fit a pattern."""
LOOK_AGAIN = 0.2
"""Seconds between two looks at files that are followed."""


class Reader(Protocol):
    """One file, row by row; `row` is the number of the next one, `text_values` as in `Records`."""

    text_values: bool
    row: int

    @property
    def ended(self) -> bool:
        """Tell whether there will never be another row."""

    def seek(self, row: int) -> None:
        """Read on from this row; raises `PositionLost` where the file has fewer."""

    def read(self, limit: int) -> list[bytes | None]:
        """Return up to `limit` payloads; none at all only at the file's end as it is now."""

    def done(self) -> int:
        """Return about how many bytes of the file are read."""

    def release(self) -> None:
        """Close the file; the next read opens it again and goes on."""


_READERS: dict[str, Callable[..., Reader]] = {
    ".jsonl": LineReader, ".ndjson": LineReader, ".json": LineReader, ".log": LineReader,
    ".csv": CsvReader, ".tsv": CsvReader,
    ".parquet": ParquetReader, ".pq": ParquetReader,
}  # fmt: skip


class FileSource:
    """Reads files as partitions of topics, numbered from 0 in the order of their paths; offsets are row numbers.

    All files are read side by side, so that none waits for another; whoever wants them one after the other pauses.

    Parameters
    ----------
    paths
        Per topic: paths or patterns (`*`, `?`, `**`). The kind of a file is told by its suffix: .jsonl .ndjson .json
        .log, .csv .tsv, .parquet .pq, the first two kinds also with .gz or .zst behind it.
    follow
        Whether to wait for what is written to the files, and for new files that fit a pattern.
    clock
        Where waiting is measured; without one a poll does not wait.

    Raises
    ------
    UsageError
        A file cannot be read, or its kind is not known.
    NoData
        A pattern fits no file, and there is no following.
    """

    def __init__(self, paths: Mapping[str, Sequence[str]], *, follow: bool = False, clock: Clock | None = None) -> None:
        self._patterns = {topic: tuple(patterns) for topic, patterns in paths.items()}
        self._follow = follow
        self._clock = clock
        self._readers: dict[Partition, Reader] = {}
        self._paths: dict[Partition, Path] = {}
        self._open: dict[Partition, None] = {}  # in the order of their last use
        self._turn = 0
        self._dry: set[Partition] = set()
        self._find_files()

    def _find_files(self) -> None:
        self._look_at = 0.0 if self._clock is None else self._clock.monotonic() + LOOK_FOR_NEW
        for topic, patterns in self._patterns.items():
            known = [path for partition, path in self._paths.items() if partition.topic == topic]
            new = [path for path in _matching(patterns, follow=self._follow) if path not in known]
            if known and new and new[0] < known[-1]:
                raise UsageError(
                    f"{new[0]}: appeared while {known[-1]} was already read, and sorts before it, so the numbers of "
                    "the files would differ at the next start: give new files names that sort last, such as a date"
                )
            for number, path in enumerate(new, start=len(known)):
                partition = Partition(topic, number)
                self._readers[partition] = _reader(path, follow=self._follow)
                self._paths[partition] = path

    @property
    def paths(self) -> Mapping[Partition, Path]:
        """Return which file each partition is."""
        return self._paths

    def partitions(self) -> Sequence[Partition]:
        """Return a partition for each file, sorted; raises `UsageError` for a new file that is out of order."""
        if self._follow and (self._clock is None or self._clock.monotonic() >= self._look_at):
            self._find_files()
        return sorted(self._readers)

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these rows; raises `PositionLost` where a file has fewer, or is not there any more."""
        gone = sorted(set(positions) - set(self._readers))
        if gone:
            raise PositionLost(
                f"{', '.join(map(str, gone))}: was read before, but there are fewer files now: name the same ones again"
            )
        for partition, reader in self._readers.items():
            position = positions.get(partition, 0)
            if position != reader.row:
                reader.seek(position)
                reader.release()

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return up to `limit` rows; waits at most `timeout` seconds for the first where files are followed."""
        found = self._read(limit, paused)
        if self._follow and self._clock is not None:
            end = self._clock.monotonic() + timeout
            while not found and (left := end - self._clock.monotonic()) > 0:
                self._clock.sleep(min(left, LOOK_AGAIN))
                found = self._read(limit, paused)
        return found

    def _read(self, limit: int, paused: Collection[Partition]) -> list[Records]:
        """Read about the same share of each file, beginning with another one each time."""
        candidates = [p for p in sorted(self._readers) if p not in paused and not self._readers[p].ended]
        self._turn += 1
        rotated = [candidates[(i + self._turn) % len(candidates)] for i in range(len(candidates))]
        found: list[Records] = []
        size = 0
        for i, partition in enumerate(rotated):
            if limit <= 0 or size > MOST_BYTES:
                break
            records, read = self._read_one(partition, max(1, limit // (len(rotated) - i)), MOST_BYTES - size)
            if records is not None:
                found.append(records)
                limit -= len(records.values)
                size += read
        return found

    def _read_one(self, partition: Partition, limit: int, most: int) -> tuple[Records | None, int]:
        """Return up to `limit` rows of one file, and their size: about `most` bytes or less."""
        reader = self._readers[partition]
        self._keep_open(partition)
        first, values, size = reader.row, list[bytes | None](), 0
        while len(values) < limit and size < most and (some := reader.read(limit - len(values))):
            values += some
            size += sum(map(len, filter(None, some)))
        if not values:
            self._dry.add(partition)
            return None, 0
        self._dry.discard(partition)
        offsets = range(first, first + len(values))
        nones = [None] * len(values)
        return Records(partition, offsets, nones, values, text_values=reader.text_values), size

    def _keep_open(self, partition: Partition) -> None:
        self._open.pop(partition, None)
        self._open[partition] = None
        while len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            del self._open[oldest]
            self._readers[oldest].release()

    def ended(self) -> Collection[Partition]:
        """Return the files that were read to their end; none where files are followed."""
        return set() if self._follow else {p for p, reader in self._readers.items() if reader.ended}

    def caught_up(self) -> Collection[Partition]:
        """Return the files of which the last look gave nothing more."""
        return self._dry | {p for p, reader in self._readers.items() if reader.ended}

    def progress(self) -> tuple[int, int]:
        """Return how many bytes are read, about, and how many there are."""
        done = sum(reader.done() for reader in self._readers.values())
        return done, sum(path.stat().st_size for path in self._paths.values())

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Do nothing: nobody else watches how far a file is read."""

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers.values():
            reader.release()


def _matching(patterns: Sequence[str], *, follow: bool) -> list[Path]:
    found: set[Path] = set()
    for pattern in patterns:
        if not glob.has_magic(pattern) or Path(pattern).exists():
            found.add(Path(pattern))
            continue
        matches = {Path(name) for name in glob.glob(pattern, recursive=True)}  # noqa: PTH207  a pattern may be absolute
        if not matches and not follow:
            raise NoData(f"{pattern}: no file fits this pattern; look at the path, and put the pattern in quotes")
        found.update(path for path in matches if not path.is_dir())
    return sorted(found)


def _reader(path: Path, *, follow: bool) -> Reader:
    open_file(path).close()
    suffix = Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix
    if suffix not in _READERS:
        raise UsageError(f"{path}: its kind is not known by its name; rename it to end in one of {', '.join(_READERS)}")
    return _READERS[suffix](path, follow=follow)
