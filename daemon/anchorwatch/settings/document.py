"""YAML text as plain values that know where they stand."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from anchorwatch.settings.variables import substitute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]

MOST_VALUES = 100_000
"""Values a configuration may hold, aliases written out; more is an alias that refers to aliases, again and again."""


class Place(NamedTuple):
    """A place in a text; both count from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing that is wrong."""

    place: Place
    path: Path
    message: str


@dataclass(slots=True)
class Document:
    """What a YAML text says.

    Attributes
    ----------
    data
        Mappings with text keys, lists, texts, numbers, booleans and None; variables are substituted.
    values, keys
        Place of each value and of each key, by path.
    written
        Each single value as it is written, variables not substituted: fit for messages, free of secrets.
    problems
        Duplicate keys, missing variables, unusable values.
    """

    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def rename(self, old: Path, new: Path) -> None:
        """Let places that stand under one path stand under another one too."""
        for table in (self.values, self.keys, self.written):
            _rename(table, old, new)


def _rename(table: dict[Path, Any], old: Path, new: Path) -> None:
    table.update({(*new, *path[len(old) :]): at for path, at in table.items() if path[: len(old)] == old})


def read_document(text: str, environ: Mapping[str, str]) -> Document:
    """Return what a YAML text says and everything that is wrong with it as YAML; never raises.

    Parameters
    ----------
    text
        One YAML 1.2 document.
    environ
        Variables for `${NAME}`.
    """
    document = Document()
    yaml = YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ReusedAnchorWarning)
            root = yaml.compose(StringIO(text))
        if root is not None:
            document.data = _Reader(document, environ).read(root, ())
    except MarkedYAMLError as error:
        document.problems = [_syntax_problem(error, text)]
    except ReaderError as error:
        document.problems = [_character_problem(error, text)]
    except ReusedAnchorWarning as error:
        document.problems = [_anchor_problem(str(error))]
    except (YAMLError, ValueError) as error:
        document.problems = [Problem(Place(1, 1), (), f"this is not YAML: {error}")]
    except RecursionError:
        document.problems = [Problem(Place(1, 1), (), "the values are nested too deep to be read: flatten them")]
    return document


class _Reader:
    """Turns nodes into values, in the order of the text."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ
        self._open: set[int] = set()
        self._count = 0

    def read(self, node: Node, path: Path) -> Any:
        self._document.values[path] = _place(node)
        self._count += 1
        if id(node) in self._open or self._count > MOST_VALUES:
            self._refuse(node, path, "aliases make this value endless, or very large: write it out")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            if isinstance(node, SequenceNode):
                return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
            return self._scalar(node, str(node.tag), path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, (*path, "?"), "a key must be a single word or text, not a list or a mapping")
            elif key.tag == "tag:yaml.org,2002:merge":
                merged = {**self._merge(value, path), **merged}
            elif key.value in found:
                first = self._document.keys[(*path, key.value)]
                message = f"`{key.value}` stands here a second time (first: line {first.line}): remove one"
                self._refuse(key, (*path, key.value), message)
            else:
                self._document.keys[(*path, key.value)] = _place(key)
                found[key.value] = self.read(value, (*path, key.value))
        for name, value in merged.items():
            found.setdefault(name, value)
        return found

    def _merge(self, node: Node, path: Path) -> dict[str, Any]:
        """Return what `<<:` brings in; what stands beside it wins, and so does the first of several."""
        parts = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in parts:
            if not isinstance(part, MappingNode):
                self._refuse(part, path, "`<<:` brings in mappings: give it *NAME, where &NAME stands before a mapping")
                continue
            apart = _Reader(Document(), self._environ)
            apart._open, apart._count = self._open, self._count
            for name, value in apart.read(part, path).items():
                merged.setdefault(name, value)
            self._count = apart._count
            self._adopt(apart._document, path)
        return merged

    def _adopt(self, other: Document, path: Path) -> None:
        """Take over places of merged keys, where there are none yet."""
        mine = self._document
        for found, known in ((other.values, mine.values), (other.keys, mine.keys)):
            for at, place in found.items():
                if at != path:
                    known.setdefault(at, place)
        for at, text in other.written.items():
            mine.written.setdefault(at, text)
        mine.problems += other.problems

    def _scalar(self, node: Node, tag: str, path: Path) -> Any:
        self._document.written[path] = node.value
        kind = tag.removeprefix("tag:yaml.org,2002:")
        if kind in {"str", "timestamp"}:
            text, complaints = substitute(node.value, self._environ)
            for complaint in complaints:
                self._refuse(node, path, complaint)
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.lower() in {"true", "yes", "on", "y"}
        if kind in {"int", "float"}:
            return _number(node.value)
        self._refuse(node, path, f"the tag {tag} is not known here: write a plain value")
        return None

    def _refuse(self, node: Node, path: Path, message: str) -> None:
        self._document.problems.append(Problem(_place(node), path, message))


def _number(text: str) -> int | float | str:
    """Return the number a scalar of YAML 1.2 says, or the text where Python cannot say it."""
    plain = text.replace("_", "").lower()
    digits = plain.lstrip("+-")
    sign = -1 if plain.startswith("-") else 1
    bases = {"0x": 16, "0o": 8, "0b": 2}
    try:
        if digits[:2] in bases:
            return sign * int(digits[2:], bases[digits[:2]])
        if digits.isdecimal():
            return sign * int(digits)
        if digits in {".inf", ".nan"}:
            return sign * float(digits[1:])
        return float(plain)
    except ValueError:
        return text


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


_ADVICE: tuple[tuple[str, str], ...] = (
    (r"cannot start any token.*\\t|found character '\\t'", "a tab stands where spaces must: indent with spaces"),
    (r"found character '([`@%])'", "a text must not begin with {0}: put quotes around it"),
    (r"mapping values are not allowed", "a `:` stands where no key can be: check the indentation, or quote the text"),
    (r"expected the node content, but found '-'|block sequence entries are not allowed",
     "a list item `-` cannot stand here: put it on its own line, indented below its key"),
    (r"could not find expected ':'", "this line has no `key: value`, or a quote or bracket before it was never closed"),
    (r"expected <block end>", "the indentation does not fit the lines above: indent keys of one level alike"),
    (r"expected ',' or '[}\]]'", "a `{{` or `[` is never closed, or a comma is missing between two values"),
    (r"while scanning a quoted scalar|found unexpected end of stream", "a quote was opened and never closed"),
    (r"expected a single document", "a second document begins here (`---`): a configuration is one document"),
    (r"found undefined alias", "there is no anchor of this name (&NAME) above"),
    (r"found duplicate anchor", "an anchor (&NAME) is set twice: give each its own name"),
)  # fmt: skip


def _anchor_problem(said: str) -> Problem:
    """Return what is wrong where two anchors have one name: an alias to it would say either."""
    line, column = re.findall(r"line (\d+), column (\d+)", said)[-1]
    return Problem(Place(int(line), int(column)), (), "another anchor has this name too: give each its own")


def _syntax_problem(error: MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)
    said = " ".join(part for part in (error.problem, error.context) if part)
    said = " ".join(said.split())
    for message in _advice(said):
        return Problem(place, (), f"this is not YAML: {message}{_variable_hint(text, place)}")
    return Problem(place, (), f"this is not YAML: {said or 'it cannot be read'}{_variable_hint(text, place)}")


def _advice(said: str) -> Iterator[str]:
    for pattern, message in _ADVICE:
        if match := re.search(pattern, said):
            yield message.format(*match.groups())


def _variable_hint(text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    return '; inside { } a variable needs quotes: "${NAME}"' if re.search(r"\{.*[^\"']\$\{", line) else ""


def _character_problem(error: ReaderError, text: str) -> Problem:
    before = text[: error.position]
    place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
    character = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    return Problem(place, (), f"this is not YAML: the character U+{character:04X} must not stand in it: remove it")
