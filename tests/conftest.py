"""What the workers that run the tests side by side say in the end."""

import pytest

USED = pytest.StashKey[list[str]]()
"""What the tests say of the Kafka brokers that they used: one a worker, started where a test first asks for it."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """Hand over what a worker says of its broker."""
    if USED in session.config.stash and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kafka"] = session.config.stash[USED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker says of its broker."""
    if used := getattr(node, "workeroutput", {}).get("kafka"):
        node.config.stash.setdefault(USED, []).extend(used)


def pytest_terminal_summary(terminalreporter, config):
    for used in config.stash.get(USED, []):
        terminalreporter.write_line(f"kafka: {used}")
