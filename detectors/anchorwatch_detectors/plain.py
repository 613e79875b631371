"""Objects of one package as plain data and back, without pickle.

Pickled bytes run code when they are read and break when a class moves. Here an object becomes numbers, strings, bytes,
lists, dictionaries and numpy arrays, and reading them back creates nothing but objects of classes of the one package
that is trusted. What cannot be described that way is refused by the name of the attribute.
"""

from __future__ import annotations

import importlib
import random
from collections import deque
from typing import Any

import numpy as np

KIND = "$"
"""Key under which a node that is more than a plain value says what it is."""


def encode(value: object, package: str) -> Any:
    """Describe an object as plain data.

    Parameters
    ----------
    value
        Numbers, strings, bytes, None, lists, tuples, deques, dictionaries, numpy arrays of numbers, `random.Random`,
        and objects of classes of `package` made of these, compiled ones included if their state is bytes. One object
        in two places stays one object.
    package
        Name of the top-level package whose classes are allowed.

    Raises
    ------
    ValueError
        If it holds anything else; the message names the attribute.

    Examples
    --------
    >>> encode({"window": deque([1, 2], maxlen=5)}, "river")
    {'$': 'dict', 'items': [['window', {'$': 'deque', 'maxlen': 5, 'items': [1, 2]}]]}
    """
    return _Encoder(package).node(value, type(value).__name__)


def decode(node: Any, package: str) -> Any:
    """Return the object that `encode` described.

    Raises
    ------
    ValueError
        If the description is damaged or names a class outside `package`.
    """
    try:
        return _Decoder(package).value(node)
    except (KeyError, TypeError, IndexError, AttributeError, ImportError) as error:
        raise ValueError(f"the description of an object of {package} is damaged: {error!r}") from error


class _Encoder:
    def __init__(self, package: str) -> None:
        self._package = package
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []  # an object that were freed could pass its id on to another

    def node(self, value: Any, where: str) -> Any:
        if isinstance(value, np.generic):
            return {KIND: "scalar", "dtype": value.dtype.str, "value": value.item()}
        if value is None or isinstance(value, bool | float | str | bytes) or type(value) is int:
            return value
        if type(value) is tuple:
            return {KIND: "tuple", "items": [self.node(item, f"{where}[{i}]") for i, item in enumerate(value)]}
        if (owner := getattr(value, "__self__", None)) is not None and hasattr(value, "__func__"):
            return {KIND: "method", "of": self.node(owner, where), "name": value.__name__}
        if id(value) in self._seen:
            return {KIND: "same", "index": self._seen[id(value)]}
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        return self._container(value, where)

    def _container(self, value: Any, where: str) -> Any:
        if isinstance(value, np.ndarray):
            if value.dtype.hasobject:
                raise ValueError(f"{where} is an array of objects: it cannot be kept as plain data")
            return {KIND: "array", "dtype": value.dtype.str, "shape": list(value.shape), "data": value.ravel().copy()}
        if type(value) is random.Random:
            version, words, gauss = value.getstate()
            return {KIND: "random", "version": version, "words": np.array(words, dtype=np.uint32), "gauss": gauss}
        if type(value) in (list, set, frozenset):
            items = [self.node(item, f"{where}[{i}]") for i, item in enumerate(value)]
            return {KIND: type(value).__name__, "items": items}
        if type(value) is deque:
            items = [self.node(item, f"{where}[{i}]") for i, item in enumerate(value)]
            return {KIND: "deque", "maxlen": value.maxlen, "items": items}
        if type(value) is dict:
            items = [[self.node(key, where), self.node(item, f"{where}[{key!r}]")] for key, item in value.items()]
            return {KIND: "dict", "items": items}
        return self._object(value, where)

    def _object(self, value: Any, where: str) -> Any:
        path = self._path(type(value), where)
        if isinstance(state := value.__getstate__(), bytes):  # a compiled class tells its state itself
            made_of = self.node(value.__getnewargs__(), where) if hasattr(value, "__getnewargs__") else None
            return {KIND: "compiled", "class": path, "arguments": made_of, "state": state}
        slots = (name for base in type(value).__mro__ for name in _slots(base))
        held = {name: getattr(value, name) for name in slots if hasattr(value, name)} | getattr(value, "__dict__", {})
        attributes = [[name, self.node(item, f"{where}.{name}")] for name, item in held.items()]
        return {KIND: "object", "class": path, "attributes": attributes}

    def _path(self, found: type, where: str) -> str:
        if found.__module__.partition(".")[0] != self._package:
            raise ValueError(
                f"{where} is a {found.__module__}.{found.__qualname__}, which cannot be kept as plain data: a restart "
                f"would lose it, so what holds one is refused; only values and objects of {self._package} fit"
            )
        return f"{found.__module__}:{found.__qualname__}"


class _Decoder:
    def __init__(self, package: str) -> None:
        self._package = package
        self._seen: list[Any] = []

    def value(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        kind = node[KIND]
        if not isinstance(kind, str) or (read := getattr(self, f"_read_{kind}", None)) is None:
            raise ValueError(f"the description of an object of {self._package} has an unknown kind {kind!r}")
        return read(node)

    def _keep(self, value: Any) -> Any:
        self._seen.append(value)
        return value

    def _read_same(self, node: dict[str, Any]) -> Any:
        return self._seen[node["index"]]

    def _read_scalar(self, node: dict[str, Any]) -> Any:
        return np.dtype(node["dtype"]).type(node["value"])

    def _read_tuple(self, node: dict[str, Any]) -> Any:
        return tuple(self.value(item) for item in node["items"])

    def _class(self, node: dict[str, Any]) -> type[Any]:
        module, _, name = node["class"].partition(":")
        if module.partition(".")[0] != self._package:
            raise ValueError(f"the description names {module}:{name}; only classes of {self._package} are made from it")
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        if not isinstance(found, type) or found.__module__.partition(".")[0] != self._package:
            raise ValueError(f"the description names {module}:{name}, which is not a class of {self._package}")
        return found

    def _read_method(self, node: dict[str, Any]) -> Any:
        owner = self.value(node["of"])
        return getattr(owner, node["name"])

    def _read_array(self, node: dict[str, Any]) -> Any:
        return self._keep(np.array(node["data"], dtype=np.dtype(node["dtype"])).reshape(node["shape"]))

    def _read_random(self, node: dict[str, Any]) -> random.Random:
        made = random.Random()  # noqa: S311 - the generator of a detector that was running, not a secret
        made.setstate((node["version"], tuple(map(int, node["words"])), node["gauss"]))
        self._keep(made)
        return made

    def _read_list(self, node: dict[str, Any]) -> Any:
        made = self._keep([])
        made.extend(self.value(item) for item in node["items"])
        return made

    def _read_set(self, node: dict[str, Any]) -> Any:
        made = self._keep(set())
        made.update(self.value(item) for item in node["items"])
        return made

    def _read_frozenset(self, node: dict[str, Any]) -> Any:
        index = len(self._seen)
        self._keep(None)
        self._seen[index] = frozenset(self.value(item) for item in node["items"])
        return self._seen[index]

    def _read_deque(self, node: dict[str, Any]) -> Any:
        made = self._keep(deque(maxlen=node["maxlen"]))
        made.extend(self.value(item) for item in node["items"])
        return made

    def _read_dict(self, node: dict[str, Any]) -> Any:
        made = self._keep({})
        for key, item in node["items"]:
            made[self.value(key)] = self.value(item)
        return made

    def _read_object(self, node: dict[str, Any]) -> Any:
        found = self._class(node)
        made = self._keep(object.__new__(found))
        for name, item in node["attributes"]:
            object.__setattr__(made, name, self.value(item))
        return made

    def _read_compiled(self, node: dict[str, Any]) -> Any:
        found = self._class(node)
        index = len(self._seen)
        self._keep(None)
        made = found(*(self.value(node["arguments"]) or ()))
        made.__setstate__(node["state"])
        self._seen[index] = made
        return made


def _slots(base: type) -> tuple[str, ...]:
    slots = base.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
