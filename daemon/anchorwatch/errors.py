"""Every error anchorwatch raises on purpose.

A leaf exists only where a caller acts differently. The message says what failed, where, why it matters and what to do.

    AnchorwatchError
    ├── UsageError               exit 2   the command line is wrong
    ├── ConfigurationError       exit 3   the configuration is wrong, or names a baseline that is not there
    ├── ConnectionFailed         exit 4   broker unreachable, refused or unauthorised; topic missing
    │   └── PositionLost         exit 4   the log no longer holds the position we stand at
    ├── StoreError               exit 4   the store cannot be read or written
    │   └── StoreTaken           exit 4   another daemon holds the store
    └── NoData                   exit 5   there was nothing to work on
"""

from __future__ import annotations

from typing import ClassVar


class AnchorwatchError(Exception):
    """Base of all errors raised on purpose."""

    exit_code: ClassVar[int] = 70
    retry: ClassVar[bool] = False


class UsageError(AnchorwatchError):
    """The command line is wrong."""

    exit_code = 2


class ConfigurationError(AnchorwatchError):
    """The configuration is wrong."""

    exit_code = 3


class ConnectionFailed(AnchorwatchError):
    """The broker could not be reached, refused us, or lacks a topic."""

    exit_code = 4
    retry = True


class PositionLost(ConnectionFailed):
    """The log no longer holds the position we stand at."""

    retry = False


class StoreError(AnchorwatchError):
    """The store cannot be read or written."""

    exit_code = 4


class StoreTaken(StoreError):
    """Another daemon holds the store."""


class NoData(AnchorwatchError):
    """There was nothing to work on."""

    exit_code = 5
