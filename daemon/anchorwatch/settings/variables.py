"""Variables of the environment in texts of the configuration: `${NAME}`, and `$${` for a plain `${`."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARK = re.compile(r"\$\$\{|\$\{([^}]*)(\})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def substitute(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """Put values in place of variables.

    Parameters
    ----------
    text
        Text that may hold `${NAME}`; a `$${` becomes `${` and means no variable.
    environ
        The variables.

    Returns
    -------
    tuple[str, list[str]]
        The text, in which what could not be substituted is left as it is, and what is wrong with it.
    """
    complaints: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        if match[2] is None:
            complaints.append("a `${` is never closed: write ${NAME}, or $${ if no variable is meant")
        elif _NAME.fullmatch(match[1]) is None:
            complaints.append(
                f"`{match[0]}` names no variable: a name holds letters, digits and `_` only; "
                "write $${ if no variable is meant"
            )
        elif match[1] not in environ:
            near = get_close_matches(match[1], list(environ), n=1, cutoff=0.8)
            meant = f" (did you mean ${{{near[0]}}}?)" if near else ""
            complaints.append(
                f"the environment variable {match[1]} is not set{meant}: set it before anchorwatch starts, "
                "or write the value here"
            )
        else:
            return environ[match[1]]
        return match[0]

    return _MARK.sub(value, text), complaints
