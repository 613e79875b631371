"""How the tests are shared out to workers that run side by side, and what they say in the end."""

import pytest

USED = pytest.StashKey[str]()
"""What the tests say of the Kafka broker that they used."""
WITHOUT_BROKER = ("test_estimated_accuracy", "test_known_changes", "test_retrain_estimate")
"""Integration tests that need none."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give all tests that may need a broker to one worker, so that one broker is started, and others by file."""
    from xdist.scheduler import LoadScopeScheduling

    class BySubject(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            alone = file.startswith("tests/integration/") and not any(name in file for name in WITHOUT_BROKER)
            return "broker" if alone else file

    return BySubject(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """Hand over what a worker says of its broker."""
    if USED in session.config.stash and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["kafka"] = session.config.stash[USED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker says of its broker."""
    if used := getattr(node, "workeroutput", {}).get("kafka"):
        node.config.stash[USED] = used


def pytest_terminal_summary(terminalreporter, config):
    if USED in config.stash:
        terminalreporter.write_line(f"kafka: {config.stash[USED]}")
