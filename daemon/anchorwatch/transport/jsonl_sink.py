"""Messages written to files instead of a broker, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from anchorwatch.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import BufferedWriter
    from pathlib import Path

    from anchorwatch.events.records import Outgoing


class JsonlSink:
    """Appends each message as one JSON object to `<topic>.jsonl` in a directory.

    The object has `id`, `key`, `headers` and `value`: a value that is JSON stands there as such, other bytes, and what
    is nested too deep to be read, as text where they are UTF-8, else as `{"base64": ...}`. Nothing that stood in the
    files before is touched.

    Parameters
    ----------
    directory
        Created where it is missing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, BufferedWriter] = {}

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Write all messages and hand them to the operating system; raises `ConnectionFailed` otherwise."""
        try:
            for message in messages:
                self._file(message.topic).write(_line(message))
            for topic in {message.topic for message in messages}:
                self._files[topic].flush()
        except OSError as error:
            raise ConnectionFailed(
                f"{self._directory}: cannot be written to ({error}), so the output is incomplete: "
                "make room or choose another directory, and run again"
            ) from error

    def _file(self, topic: str) -> BufferedWriter:
        if topic not in self._files:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._files[topic] = (self._directory / f"{topic}.jsonl").open("ab")
        return self._files[topic]

    def close(self) -> None:
        """Close the files; may be called twice."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _line(message: Outgoing) -> bytes:
    line = {
        "id": message.id,
        "key": None if message.key is None else _text(message.key),
        "headers": {name: _text(value) for name, value in message.headers},
        "value": _value(message.value),
    }
    return msgspec.json.encode(line) + b"\n"


def _value(value: bytes) -> Any:
    try:
        msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _text(value)
    return msgspec.Raw(msgspec.json.format(value, indent=-1))


def _text(value: bytes) -> str | dict[str, bytes]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": value}
