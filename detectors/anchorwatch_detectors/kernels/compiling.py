"""Compiles kernels, the loops over values, and keeps what was compiled on disk.

This module and every kernel import numba, which takes half a second, so detectors import their kernel where a lane is
first fed and not before. Numbers are those of IEEE arithmetic in the order written: no fastmath, no contraction.

What was compiled is kept in the first of these that can be used, in a folder named after the kernel's source,
so that a changed kernel is never served by what an older one left:

1. `$NUMBA_CACHE_DIR`, if it is set;
2. `__pycache__` beside the kernels, if it can be written or was filled before (an image whose root is read-only);
3. `$XDG_CACHE_HOME/anchorwatch`, by default `~/.cache/anchorwatch`.

Without any of them a kernel is compiled once a process.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_IMPORTED = re.compile(rb"^ *from anchorwatch_detectors\.kernels\.(\w+) import", re.MULTILINE)
"""How a kernel's file names another one."""

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is compiled at its first call, once for each combination of argument types.

    It releases the GIL and may call other kernels, of other files by `from`. It must be defined at the top of a module,
    not in a function. Division by zero gives what IEEE says (infinity or NaN), so that loops stay free of branches.

    Parameters
    ----------
    function
        Of numbers, arrays and named tuples of them.
    """
    compiled: Any = njit(nogil=True, fastmath=False, error_model="numpy")(function)
    if cache_folder(function.__code__.co_filename) is not None:
        compiled._cache = _KernelCache(function)  # noqa: SLF001 - what `cache=True` does, with a folder of our own
    made: Callable[P, R] = compiled
    return made


@functools.cache
def cache_folder(source: str) -> Path | None:
    """Return the folder for what is compiled of a file of kernels, or None if there is no place for one."""
    roots = [Path(__file__).parent / "__pycache__", *_of_user()]
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        roots.insert(0, Path(given))
    return first_usable([root / f"kernels-{_digest(source)}" for root in roots])


def first_usable(folders: Sequence[Path]) -> Path | None:
    """Return the first folder that holds compiled kernels or can be written, made if need be; None without any."""
    return next((folder for folder in folders if _filled(folder) or _writable(folder)), None)


def _of_user() -> list[Path]:
    """Return the cache folder of the user, if there is a user with a home."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return [Path(given, "anchorwatch")]
    try:
        return [Path.home() / ".cache" / "anchorwatch"]
    except RuntimeError:
        return []


@functools.cache
def _digest(source: str) -> str:
    """Return a digest of a file of kernels and of all that it imports of this package: kernels call one another."""
    package, waiting, seen = Path(__file__).parent, [Path(source)], dict[Path, bytes]()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path] = path.read_bytes()
            waiting += [package / f"{name.decode()}.py" for name in _IMPORTED.findall(seen[path])]
    return hashlib.sha256(b"".join(seen[path] for path in sorted(seen))).hexdigest()[:16]


def _filled(folder: Path) -> bool:
    try:
        return any(folder.glob("*.nbi"))
    except OSError:  # it may not be looked into: as if it were not there
        return False


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


class _Locator(_CacheLocator):  # type: ignore[misc] # numba is not typed
    """Tells numba where a kernel is kept; unlike numba's own, it reads a folder that it cannot write."""

    def __init__(self, function: Any) -> None:
        self._source = function.__code__.co_filename
        self._name = f"{function.__module__}-{function.__code__.co_firstlineno}"

    def ensure_cache_path(self) -> None:
        """Do nothing: `cache_folder` chose a folder that is there."""

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(cache_folder(self._source))

    def get_source_stamp(self) -> str:
        """Return what changes with the source."""
        return _digest(self._source)

    def get_disambiguator(self) -> str:
        """Return what tells functions of one name apart; what is kept is tied to the module's name."""
        return self._name

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator:  # noqa: ARG003 - numba's signature
        """Return the locator of a function."""
        return cls(py_func)


class _CacheImpl(CompileResultCacheImpl):  # type: ignore[misc] # numba is not typed
    _locator_classes = (_Locator,)


class _KernelCache(FunctionCache):  # type: ignore[misc] # numba is not typed
    _impl_class = _CacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was kept; what cannot be read is compiled anew, as if it had not been."""
        try:
            return super().load_overload(sig, target_context)
        except (OSError, EOFError):  # what was kept is lost or cut off: None has it compiled anew
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled; where it cannot be written (read-only, full) the process goes on without."""
        with contextlib.suppress(OSError):  # no room, no right to write: the process has what it compiled
            super().save_overload(sig, data)
