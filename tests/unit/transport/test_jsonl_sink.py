"""Messages in files can be read by people and programs."""

import json

import pytest

from anchorwatch.errors import ConnectionFailed
from anchorwatch.events.records import Outgoing
from anchorwatch.transport.jsonl_sink import JsonlSink


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_message_is_a_line_in_the_file_of_its_topic(tmp_path):
    sink = JsonlSink(tmp_path / "out")
    sink.send([Outgoing("1", "alerts", b"fraud", b'{"a":\n [1, "\xc3\xa9"]}', (("ce_type", b"alert"),))])
    sink.send([Outgoing("2", "retrain", None, b"text")])
    assert lines(tmp_path / "out" / "alerts.jsonl") == [
        {"id": "1", "key": "fraud", "headers": {"ce_type": "alert"}, "value": {"a": [1, "é"]}}
    ]
    assert lines(tmp_path / "out" / "retrain.jsonl") == [{"id": "2", "key": None, "headers": {}, "value": "text"}]
    sink.close()


def test_bytes_that_are_no_text_are_kept(tmp_path):
    sink = JsonlSink(tmp_path)
    sink.send([Outgoing("1", "t", b"\xff", b"\xfe\n", (("h", b"\xfd"),))])
    (line,) = lines(tmp_path / "t.jsonl")
    assert (line["key"], line["headers"], line["value"]) == (
        {"base64": "/w=="},
        {"h": {"base64": "/Q=="}},
        {"base64": "/go="},
    )
    sink.close()


def test_a_value_that_is_nested_too_deep_to_be_read_stands_there_as_text(tmp_path):
    deep = b"[" * 5000 + b"]" * 5000
    sink = JsonlSink(tmp_path)
    sink.send([Outgoing("1", "t", None, deep)])
    assert [line["value"] for line in lines(tmp_path / "t.jsonl")] == [deep.decode()]
    sink.close()


def test_what_stood_in_a_file_before_stays(tmp_path):
    for ident in ("1", "2"):
        sink = JsonlSink(tmp_path)
        sink.send([Outgoing(ident, "t", None, b"1")])
        sink.close()
        sink.close()
    assert [line["id"] for line in lines(tmp_path / "t.jsonl")] == ["1", "2"]


def test_a_directory_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectionFailed, match="cannot be written to"):
        JsonlSink(tmp_path / "file").send([Outgoing("1", "t", None, b"1")])
