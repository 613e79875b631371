from __future__ import annotations

import resource
import subprocess
import sys
from importlib.metadata import version

import pytest
import typer

from anchorwatch.cli.main import COMMANDS, Commands, main
from anchorwatch.errors import ConnectionFailed, NoData, StoreTaken


def run(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


class OneCommand(Commands):
    """A command line of one command that raises."""

    raised: BaseException

    def list_commands(self, ctx):
        return ["only"]

    def get_command(self, ctx, cmd_name):
        def only():
            raise self.raised

        parent = typer.Typer(add_completion=False, rich_markup_mode=None)
        parent.command("only")(only)
        return typer.main.get_group(parent).commands.get(cmd_name)


def ended_with(error, capsys):
    group = OneCommand(name="anchorwatch", rich_markup_mode=None)
    group.raised = error
    with pytest.raises(SystemExit) as left:
        main(["only"], group)
    return left.value.code, capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(ConnectionFailed, 4), (StoreTaken, 4), (NoData, 5)])
def test_an_error_raised_on_purpose_is_one_message_and_its_exit_code(error, code, capsys):
    assert ended_with(error("what failed, and what to do"), capsys) == (code, "what failed, and what to do\n")


def test_a_bug_ends_with_70_and_asks_for_a_report(capsys):
    code, said = ended_with(KeyError("x"), capsys)
    assert code == 70
    assert "KeyError: 'x'" in said
    assert "Please report this bug" in said
    assert f"anchorwatch {version('anchorwatch')}" in said


def test_an_interrupt_ends_with_130_and_no_trace(capsys):
    assert ended_with(KeyboardInterrupt(), capsys) == (130, "interrupted\n")


@pytest.mark.parametrize("arguments", [["nowhere"], ["--nowhere"], ["check"], ["check", "a", "b"], ["version", "--x"]])
def test_wrong_usage_ends_with_2(arguments, capsys):
    code, out, err = run(arguments, capsys)
    assert (code, out) == (2, "")
    assert "Error:" in err


def test_a_misspelled_command_is_told_its_neighbour(capsys):
    assert "Did you mean 'replay'?" in run(["repaly"], capsys)[2]


def test_help_names_every_command_and_the_exit_codes(capsys):
    code, out, _ = run(["--help"], capsys)
    assert code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in out
    assert "3 wrong configuration" in out.replace("\n  ", " ")


def test_help_comes_without_importing_a_command_or_anything_heavy():
    code = (
        "import sys\n"
        "from anchorwatch.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n"
        "    heavy = {'numpy', 'pydantic', 'river', 'kafka', 'rich', 'pandas', 'scipy', 'anchorwatch.cli.check'}\n"
        "    sys.exit(f'imported: {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_takes_less_than_0_3_seconds():
    """The best of five, in processor time, so that a busy machine is not taken for a slow program."""
    command = [sys.executable, "-c", "from anchorwatch.cli.main import main; main()", "--help"]
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.3


def test_version_names_what_a_bug_report_needs(capsys):
    code, out, _ = run(["version"], capsys)
    assert code == 0
    names = [line.split()[0] for line in out.splitlines()]
    assert names == ["anchorwatch", "python", "river", "kafka-python", "numpy", "sqlite"]
    assert "not installed" not in out


def test_every_command_says_what_it_does_in_one_line():
    for text in COMMANDS.values():
        assert text.endswith(".")
        assert len(text) < 80
