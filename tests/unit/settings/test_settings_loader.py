from __future__ import annotations

import pathlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anchorwatch.errors import ConfigurationError
from anchorwatch.settings.describe import settings_of
from anchorwatch.settings.explain import scalar
from anchorwatch.settings.loader import LARGEST, examine, load
from anchorwatch.settings.models import Settings

SMALL = """\
models:
  fraud:
    predictions: {topic: t, id: id, prediction: {kind: binary, score: p}}
    baseline: {first: 100}
"""
ENVIRON = {"NAME": "value"}


def refused(source, environ=ENVIRON):
    with pytest.raises(ConfigurationError) as error:
        load(source, environ)
    return str(error.value)


def test_a_small_configuration_loads_with_its_defaults():
    settings = load(SMALL, {})
    assert settings.kafka is None
    assert settings.models["fraud"].windows.size == 1000


def test_variables_are_substituted_in_texts_and_in_numbers():
    settings = load("store: ${DIR}/a.db\n" + SMALL.replace("100", "'${N}'"), {"DIR": "/data", "N": "250"})
    assert settings.store == "/data/a.db"
    assert settings.models["fraud"].baseline.first == 250


def test_a_password_is_neither_in_a_message_nor_in_a_repr():
    text = (
        "kafka:\n  bootstrap_servers: a:1\n  security_protocol: SASL_SSL\n"
        "  sasl: {mechanism: PLAIN, username: u, password: '${P}'}\n" + SMALL
    )
    assert "hunter2" not in repr(load(text, {"P": "hunter2"}))
    assert "hunter2" not in refused(text.replace("'${P}'", "{x: hunter2}"))


def test_a_secret_from_a_variable_is_not_told_where_it_does_not_fit():
    """What is told of a wrong value is what stands in the file, not what the variable holds."""
    said = refused(SMALL.replace("100", "'${P}'"), {"P": "hunter2"})
    assert "hunter2" not in said
    assert "`${P}`" in said


def test_all_problems_are_told_in_the_order_of_the_file():
    said = refused(SMALL.replace("id: id", "idd: id, time: 7").replace("100", "none") + "colour: blue\n")
    assert [line.split(":")[1:3] for line in said.splitlines()] == [["3", "29"], ["3", "44"], ["4", "23"], ["5", "1"]]


def test_the_value_under_a_misspelled_key_is_checked_as_if_it_were_the_right_one():
    said = refused(SMALL.replace("baseline: {first: 100}", "baselin: {first: none}"))
    assert "did you mean `baseline`?" in said
    assert "`first`: takes a whole number" in said
    assert "missing" not in said


def test_contradictions_of_a_section_do_not_hide_those_around_it():
    said = refused(SMALL + "    windows: {size: null}\n    segments: [nowhere]\n")
    assert "never closes" in said
    assert "`nowhere` is no category feature" in said


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "this is empty"),
        (b"\xef\xbb\xbf", "this is empty"),
        (b"# only a comment\n", "this is empty"),
        (b"hello", "this is a single value"),
        (b"[]", "this is a list"),
        (b"a: \xff", ":1:4: the byte 0xFF is not UTF-8"),
        ("a: 1".encode("utf-16"), "this is UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00", "the byte 0x89 is not UTF-8"),
        (b"SQLite format 3\x00", "U+0000"),
        (b" " * (LARGEST + 1), "cannot be a configuration"),
    ],
)
def test_a_file_that_is_no_configuration_is_told_so(tmp_path, content, part):
    path = tmp_path / "conf.yaml"
    path.write_bytes(content)
    said = refused(path)
    assert said.startswith(str(path))
    assert part in said


def test_a_file_with_a_byte_order_mark_loads(tmp_path):
    path = tmp_path / "conf.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert "fraud" in load(path, {}).models


def test_a_file_that_cannot_be_opened_is_told_with_what_to_do(tmp_path):
    assert "there is no such file" in refused(tmp_path / "nowhere.yaml")
    assert "this is a directory" in refused(tmp_path)
    assert "cannot be read" in refused(pathlib.Path("a\0b"))


PIECES = st.sampled_from(
    ["models", "kafka", "fraud", "baseline", "first", "predictions", ": ", ":\n  ", "\n", "\n    ", "- ", "{", "}",
     "[", "]", ", ", "&a ", "*a", "<<: ", "!!int ", "!!binary ", "!x ", "'", '"', "|\n", ">\n", "#", "---\n", "...",
     "%YAML 1.1\n", "%TAG ! x\n", "? ", "${NAME}", "$${", "${", "null", "true", "7d", "1e999", "0x", "0o9", ".nan",
     "2026-01-01", "\t", "\u2028", "\ufeff"]
)  # fmt: skip


def said_of(source):
    """Return the message of a refused configuration, None for one that loads."""
    try:
        load(source, ENVIRON)
    except ConfigurationError as error:
        return str(error)
    return None


@given(st.one_of(st.text(), st.lists(PIECES, max_size=25).map("".join), st.binary().map(lambda b: b.decode("latin-1"))))
@example("%YAML 9.9\n--- a")
@example("a: !!int x")
@example("a: !!float ''")
@example("a: !!map x")
@example("!!map [a]")
@example("? \n: ")
@example("&0 : &0")
@example("models: {a: {predictions: {prediction: {positive: [1]}, features: {a: {b: {}}}}}}")
def test_any_text_gives_settings_or_a_configuration_error(text):
    """Whatever is typed, nothing but ConfigurationError is raised, and it says where."""
    said = said_of(text)
    assert said is None or said.startswith("<text>:")


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xed\xa0\x80")
def test_any_file_gives_settings_or_a_configuration_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    said = said_of(path)
    assert said is None or said.startswith(f"{path}:")


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["x", "7d", "binary", "numeric", ""])
)
KEYS = st.sampled_from(["a", "kind", "first"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2), max_leaves=4
)


def _paths(section, path=()):
    for setting in settings_of(section).values():
        here = (*path, setting.name)
        yield here
        if setting.section is not None:
            yield from _paths(setting.section, (*here, "name") if setting.many == "map" else here)


def as_yaml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_yaml(part)}" for key, part in value.items()) + "}"
    return f"[{', '.join(map(as_yaml, value))}]" if isinstance(value, list) else scalar(value)


@given(st.data())
def test_any_value_in_the_place_of_any_setting_gives_settings_or_an_error_at_a_place(data):
    """Every setting, given any value, is taken or refused in words of our own."""
    path = data.draw(st.sampled_from(sorted(_paths(Settings))))
    value = data.draw(VALUES)
    document = value
    for key in reversed(path):
        document = {key: document}
    for finding in examine(as_yaml(document), {}).findings:
        assert finding.place is not None
        assert "Input should" not in finding.message
        assert "cannot be used" not in finding.message
