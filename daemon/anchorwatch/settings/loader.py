"""A configuration file as settings, or everything that is wrong with it, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from anchorwatch.errors import ConfigurationError
from anchorwatch.settings.complaints import complain, settle_keys
from anchorwatch.settings.document import Document, Place, Problem, read_document
from anchorwatch.settings.models import Settings
from anchorwatch.settings.section import LENIENT

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Mapping

    from anchorwatch.settings.document import Path

LARGEST = 4 * 2**20
"""Bytes a configuration may have; more is a wrong file."""


class Finding(NamedTuple):
    """One thing that is wrong with a configuration; `place` is None where it is about the whole file."""

    file: str
    place: Place | None
    message: str

    def __str__(self) -> str:
        """Write it as compilers do, so that editors jump to it."""
        at = f"{self.file}:{self.place.line}:{self.place.column}" if self.place else self.file
        return f"{at}: {self.message}"


@dataclass(frozen=True, slots=True)
class Examined:
    """Either the settings, or everything that is wrong in the order of the file."""

    settings: Settings | None
    findings: tuple[Finding, ...]


def load(source: pathlib.Path | str, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a configuration.

    Parameters
    ----------
    source
        A path to a file, or YAML as text.
    environ
        Environment variables for `${NAME}`.

    Raises
    ------
    ConfigurationError
        If anything is wrong; its message holds every problem, one a line, as `file:line:column: message`.
    """
    examined = examine(source, environ)
    if examined.settings is None:
        raise ConfigurationError("\n".join(str(finding) for finding in examined.findings))
    return examined.settings


def examine(source: pathlib.Path | str, environ: Mapping[str, str]) -> Examined:
    """Return the settings of a configuration, or all that is wrong with it; parameters as for `load`."""
    if isinstance(source, str):
        return _examine_text("<text>", source, environ)
    file = str(source)
    try:
        with source.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        return Examined(None, (Finding(file, None, _unreadable(source, error)),))
    if len(content) > LARGEST:
        message = f"this is larger than {LARGEST // 2**20} MiB and cannot be a configuration: give the YAML file"
        return Examined(None, (Finding(file, None, message),))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Examined(None, (_undecodable(file, content, error),))
    return _examine_text(file, text, environ)


def _examine_text(file: str, text: str, environ: Mapping[str, str]) -> Examined:
    document = read_document(text, environ)
    settings = None if _is_hopeless(document) else _validate(document)
    if not document.problems:
        return Examined(settings, ())
    findings = [Finding(file, place, message) for place, _, message in sorted(document.problems)]
    return Examined(None, tuple(dict.fromkeys(findings)))


def _is_hopeless(document: Document) -> bool:
    """Tell whether there is nothing to validate, and say why."""
    if isinstance(document.data, dict) and document.data:
        return False
    if not document.problems:
        found = {list: "this is a list", dict: "this is empty", type(None): "this is empty"}
        said = found.get(type(document.data), "this is a single value")
        message = f"{said}: a configuration is a mapping with at least `models:`; config/minimal.yaml is one to copy"
        document.problems.append(Problem(Place(1, 1), (), message))
    return True


def _validate(document: Document) -> Settings | None:
    settle_keys(document, document.data, Settings)
    known = {problem.path for problem in document.problems}
    try:
        return Settings.model_validate(document.data)
    except ValidationError as refused:
        for loc, kind, said in _refusals(refused, document):
            problem = complain(loc, kind, said, document, Settings)
            if not any(problem.path[:length] in known for length in range(len(problem.path) + 1)):
                document.problems.append(problem)
    return None


def _refusals(refused: ValidationError, document: Document) -> Iterator[tuple[Path, str, str]]:
    """Yield where, what sort and what was said, of everything that is wrong.

    A contradiction hides those of the sections around it; where there is nothing else, all are asked for.
    """
    errors = refused.errors(include_url=False, include_input=False)
    if all(error["type"] == "conflict" for error in errors):
        settings = Settings.model_validate(document.data, context=LENIENT)
        yield from ((conflict.path, "conflict", conflict.message) for conflict in settings.all_conflicts())
        return
    for error in errors:
        own = error.get("ctx", {}).get("error")
        yield error["loc"], error["type"], str(own) if isinstance(own, ValueError) else error["msg"]


def _unreadable(source: pathlib.Path, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file: give the path of a configuration (config/minimal.yaml is one to copy)"
    if isinstance(error, IsADirectoryError):
        return "this is a directory: give the path of the configuration file in it"
    if isinstance(error, PermissionError):
        return "this file may not be read by this user: give it read permission, or run as its owner"
    return f"{source!s} cannot be read: {error}"


def _undecodable(file: str, content: bytes, error: UnicodeDecodeError) -> Finding:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Finding(file, Place(1, 1), "this is UTF-16: save it as UTF-8")
    before = content[: error.start]
    line_start = before.rfind(b"\n") + 1
    place = Place(before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1)
    message = f"the byte 0x{content[error.start]:02X} is not UTF-8: save the file as UTF-8, or give the YAML file"
    return Finding(file, place, message)
