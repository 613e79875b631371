"""Every broken configuration of tests/config_cases gives, through the command line, exactly the text beside it.

After a message was changed on purpose: ANCHORWATCH_WRITE_CASES=1 pytest tests/unit/settings/test_config_cases.py, and
read the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anchorwatch.cli.main import main

CASES = Path(__file__).parents[2] / "config_cases"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_configuration_is_told_in_full(name, monkeypatch, capsys):
    """All that is wrong is told at once, on stderr, with its places; the exit code is 3."""
    monkeypatch.chdir(CASES)
    monkeypatch.setenv("KAFKA_TOKEN", "a-token")
    monkeypatch.delenv("ANCHORWATCH_TEST_BROKERS", raising=False)
    with pytest.raises(SystemExit) as left:
        main(["check", f"{name}.yaml"])
    said = capsys.readouterr()
    expected = CASES / f"{name}.txt"
    if os.environ.get("ANCHORWATCH_WRITE_CASES"):
        expected.write_text(said.err, encoding="utf-8")
    assert left.value.code == 3
    assert said.out == ""
    assert said.err == expected.read_text(encoding="utf-8")


def test_every_case_has_its_message_and_every_message_its_case():
    """No broken configuration is without its expected text, and there are ten at least."""
    assert sorted(path.stem for path in CASES.glob("*.txt")) == NAMES
    assert len(NAMES) >= 10


def test_no_message_speaks_of_the_libraries_beneath():
    """An operator reads what to do, not what pydantic or ruamel call it."""
    for name in NAMES:
        text = (CASES / f"{name}.txt").read_text(encoding="utf-8")
        for jargon in ("Input should", "pydantic", "ruamel", "Traceback", "Value error", "type=", "https://errors"):
            assert jargon not in text, f"{name}: {jargon}"


def test_the_installed_command_says_the_same():
    """A process of its own ends with exit code 3 and the same message."""
    command = [
        sys.executable,
        "-c",
        "from anchorwatch.cli.main import main; main()",
        "check",
        "01_misspelled_keys.yaml",
    ]
    done = subprocess.run(command, cwd=CASES, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert done.stderr == (CASES / "01_misspelled_keys.txt").read_text(encoding="utf-8")
