"""What is wrong with the values of a configuration, in words for the person who wrote it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from anchorwatch.settings.describe import Setting, homes, settings_of
from anchorwatch.settings.document import Document, Path, Place, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from anchorwatch.settings.section import Section

_KEY = "[key]"


def settle_keys(document: Document, data: Any, section: type[Section], path: Path = ()) -> None:
    """Note every unknown key as a problem, and treat it as the one that was meant, so that its value is checked too.

    Parameters
    ----------
    document
        What was read; its problems and `data` are changed.
    data
        The part of the document's data at `path`.
    section
        What should stand there.
    path
        Where we are.
    """
    if not isinstance(data, dict):
        return
    settings = settings_of(section)
    for key in [key for key in data if key not in settings]:
        near = get_close_matches(key.lower().replace("-", "_"), settings, n=1, cutoff=0.6)
        _note(document, path, key, _unknown(key, path, section, near))
        value = data.pop(key)
        if near and near[0] not in data:
            data[near[0]] = value
            document.rename((*path, key), (*path, near[0]))
    for key, value in data.items():
        setting, here = settings[key], (*path, key)
        if setting.number and isinstance(value, bool):
            message = f"`{key}`: {_takes(setting)}; {_found(value, document.written[here], setting)}"
            document.problems.append(Problem(document.values[here], here, message))
        for child_path, child in _children(value, setting, here):
            settle_keys(document, child, cast("type[Section]", setting.section), child_path)


def _children(value: Any, setting: Setting, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield the sections a setting holds, with their paths."""
    if setting.section is None:
        return
    if setting.many == "map" and isinstance(value, dict):
        yield from (((*path, name), child) for name, child in value.items())
    elif setting.many == "list" and isinstance(value, list):
        yield from (((*path, index), child) for index, child in enumerate(value))
    else:
        yield path, value


def _note(document: Document, path: Path, key: str, message: str) -> None:
    place = document.keys.get((*path, key), document.values.get(path, Place(1, 1)))
    document.problems.append(Problem(place, (*path, key), message))


def _unknown(key: str, path: Path, section: type[Section], near: list[str]) -> str:
    from anchorwatch.settings.models import Settings

    where = f"of `{dotted(path)}`" if path else "at the top"
    begin = f"`{key}` is no setting {where}; "
    if near:
        return f"{begin}did you mean `{near[0]}`?"
    elsewhere = [".".join(home) for home in homes(key, Settings)]
    if elsewhere:
        return f"{begin}it belongs in {' or '.join(f'`{home}`' for home in elsewhere[:3])}"
    return f"{begin}known here: {', '.join(settings_of(section))}"


def complain(loc: Path, kind: str, said: str, document: Document, section: type[Section]) -> Problem:
    """Return what was refused as a problem with its place.

    Parameters
    ----------
    loc
        Where, in the model.
    kind
        What sort of error it is, in pydantic's words, or "conflict".
    said
        What was said about it; used where it is our own.
    document
        What was validated.
    section
        What the whole document should be.
    """
    of_key = loc[-1:] == (_KEY,)
    loc = loc[:-1] if of_key else loc
    path, rest = _locate(loc, document.data)
    if kind == "missing":
        return Problem(_key_place(document, path), loc, _missing(path, rest, section))
    is_ours = kind in {"value_error", "conflict"}
    message = said if is_ours else _message(said, document, path, _setting_at(loc, section))
    name = next((part for part in reversed(path) if isinstance(part, str)), None)
    text = message if name is None or of_key else f"`{name}`: {message}"
    at_key = of_key or document.written.get(path) == "" or isinstance(_value(path, document.data), dict | list)
    place = _key_place(document, path) if at_key else document.values.get(path, Place(1, 1))
    return Problem(place, path, text)


def dotted(path: Path) -> str:
    """Return a path as people write it."""
    return ".".join(str(part) for part in path)


def _message(said: str, document: Document, path: Path, setting: Setting | None) -> str:
    if setting is None:
        return f"this cannot be used: {said}"
    value = _value(path, document.data)
    alone = path[-1:] != (setting.name,)
    if value in ({}, []):
        return f"this is empty. {setting.description}"
    return f"{_takes(setting, alone=alone)}; {_found(value, document.written.get(path), setting)}"


def _takes(setting: Setting, *, alone: bool = False) -> str:
    if setting.section is not None and (alone or not setting.many):
        return f"takes settings of its own ({', '.join(settings_of(setting.section))})"
    return f"takes {setting.form}"


def _found(value: Any, written: str | None, setting: Setting) -> str:
    if setting.secret:
        return "this is something else; put quotes around a number"
    if value is None:
        empty = "there is nothing here"
        return f"{empty}: remove the line, or indent what belongs to it" if not setting.required else empty
    if isinstance(value, dict | list):
        return f"this is a {'mapping' if isinstance(value, dict) else 'list'}"
    text = written if written is not None else str(value)
    if setting.options:
        near = get_close_matches(text.lower(), {option.lower(): option for option in setting.options}, n=1, cutoff=0.5)
        meant = [option for option in setting.options if option.lower() in near]
        return f"this is `{text}`" + (f", did you mean `{meant[0]}`?" if meant else "")
    quote = f', write it in quotes: "{text}"' if setting.form == "text" else ""
    return f"this is `{text}`{quote}"


def _missing(path: Path, rest: Path, section: type[Section]) -> str:
    where = f"`{dotted(path)}`" if path else "the configuration"
    setting = _setting_at((*path, *rest), section)
    return f"{where} needs `{rest[-1]}`, which is missing. {setting.description if setting else ''}".rstrip()


def _locate(loc: Path, data: Any) -> tuple[Path, Path]:
    """Split a place of the model into the path that is written in the document and what is not."""
    path: Path = ()
    for index, part in enumerate(loc):
        there = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        if there:
            data, path = data[part], (*path, part)
        elif not (isinstance(data, dict) and isinstance(part, int)):
            return path, loc[index:]
    return path, ()


def _value(path: Path, data: Any) -> Any:
    for part in path:
        data = data[part]
    return data


def _setting_at(loc: Path, section: type[Section]) -> Setting | None:
    """Return the setting a place of the model is about."""
    setting: Setting | None = None
    settings: Mapping[str, Setting] = settings_of(section)
    inside_many = False
    for part in loc:
        if inside_many:
            inside_many = False
        elif part in settings:
            setting = settings[str(part)]
            settings = settings_of(setting.section) if setting.section is not None else {}
            inside_many = bool(setting.many)
    return setting


def _key_place(document: Document, path: Path) -> Place:
    return document.keys.get(path) or document.values.get(path) or Place(1, 1)
