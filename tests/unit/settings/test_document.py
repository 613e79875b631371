from __future__ import annotations

import pytest

from anchorwatch.settings.document import MOST_VALUES, Place, read_document


def problems(text):
    return [(str(p.place.line), str(p.place.column), p.message) for p in read_document(text, {}).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("true", True), ("null", None), ("~", None), ("", None), ("12", 12), ("012", 12), ("0x1F", 31),
        ("0o17", 15), ("-7", -7), ("1_000", 1000), ("1e4", 10_000.0), ("0.5", 0.5), ("2026-01-01", "2026-01-01"),
        ("7d", "7d"), ("'5'", "5"), ("-.inf", float("-inf")), ("café", "café"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_yaml_1_2_says(text, value):
    found = read_document(f"a: {text}", {}).data["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts_whatever_they_look_like():
    assert read_document("1: a\ntrue: b\nnull: c", {}).data == {"1": "a", "true": "b", "null": "c"}


def test_every_key_and_value_knows_its_place():
    document = read_document("a:\n  b: 1\n  c: [x, {d: 2}]\n", {})
    assert document.keys["a", "b"] == Place(2, 3)
    assert document.values["a", "b"] == Place(2, 6)
    assert document.values["a", "c", 0] == Place(3, 7)
    assert document.keys["a", "c", 1, "d"] == Place(3, 11)


def test_merged_mappings_keep_their_own_places_and_lose_to_what_stands_beside_them():
    document = read_document("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [{a: 5}, *x]}\n", {})
    assert document.data["y"] == {"a": 1, "b": 3}
    assert document.data["z"] == {"a": 5, "b": 2}
    assert document.values["y", "a"] == Place(1, 11)
    assert document.values["y", "b"] == Place(2, 16)
    assert document.problems == []


def test_a_key_that_stands_twice_is_refused_where_it_stands_the_second_time():
    assert problems("a: 1\nb: 2\na: 3\n") == [("3", "1", "`a` stands here a second time (first: line 1): remove one")]


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("a:\n\tb: 1", ("2", "1"), "a tab stands"),
        ("a: b: c", ("1", "5"), "a `:` stands where no key can be"),
        ("a: [1, 2", ("1", "9"), "never closed"),
        ('a: "x', ("1", "6"), "a quote was opened"),
        ("a: *b", ("1", "4"), "no anchor of this name"),
        ("a: 1\n---\nb: 2", ("2", "1"), "a second document begins"),
        ("a: @x", ("1", "4"), "must not begin with @"),
        ("a: !secret x", ("1", "4"), "the tag !secret is not known"),
        ("? [a]\n: b", ("1", "3"), "a key must be a single word"),
        ("<<: 1", ("1", "5"), "`<<:` brings in mappings"),
        ("a: &x [*x]", ("1", "4"), "aliases make this value endless"),
        ("a: x\x07y", ("1", "5"), "U+0007"),
        ("a: {b: ${C}}", ("1", "9"), 'inside { } a variable needs quotes: "${NAME}"'),
    ],
)
def test_what_is_not_yaml_is_told_with_its_place(text, place, part):
    (found,) = problems(text)
    assert found[:2] == place
    assert part in found[2]


def test_aliases_cannot_grow_without_end():
    """Ten aliases of ten aliases of ten... are refused before they fill the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    document = read_document("\n".join(lines), {})
    assert len(document.values) <= MOST_VALUES * 2
    assert any("endless, or very large" in problem.message for problem in document.problems)


def test_a_text_nested_without_end_is_refused():
    (found,) = problems("[" * 1_500)
    assert "nested too deep" in found[2]


def test_two_anchors_of_one_name_are_told_where_the_second_stands():
    (problem,) = read_document("a: &x 1\nb: &x 2\nc: *x\n", {}).problems
    assert (problem.place, problem.message) == (Place(2, 4), "another anchor has this name too: give each its own")
