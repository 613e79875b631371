"""`anchorwatch calibrate`: from a log, from a baseline alone, kept in the store and used from then on."""

import json

import pytest

from anchorwatch.cli.main import main
from anchorwatch.simulate.scenario import Scenario, configuration
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS

ROWS = 2000
FEW = ("--events", "10000", "--repeats", "0")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Write calm traffic with a configuration whose budget can be simulated."""
    folder = tmp_path_factory.mktemp("calibrate")
    messages = list(Scenario(ROWS, ROWS, ()).traffic(3).messages())
    for topic in (PREDICTIONS, LABELS):
        lines = [message.value + b"\n" for message in messages if message.topic == topic]
        (folder / f"{topic}.jsonl").write_bytes(b"".join(lines))
    text = configuration(ROWS, store=str(folder / "store.db"))
    (folder / "watch.yaml").write_text(text + "    windows: {size: 100}\n")
    named = text.replace(f"{{first: {ROWS}}}", "{name: calibrated}") + "    windows: {size: 100}\n"
    (folder / "named.yaml").write_text(named)
    return folder


@pytest.fixture
def run(capsys):
    def ran(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        assert left.value.code == code, told.err
        return told.out if code == 0 else told.err

    return ran


def files(log, *topics):
    return [part for topic in topics for part in ("--file", f"{topic}={log / topic}.jsonl")]


@pytest.fixture(scope="module")
def kept(log):
    """Calibrate on the log, and keep the result by name."""
    with pytest.raises(SystemExit) as left:
        main(["calibrate", str(log / "watch.yaml"), *files(log, PREDICTIONS, LABELS), *FEW, "--save",
              "--name", "calibrated"])  # fmt: skip
    assert left.value.code == 0
    return log / "store.db"


def test_what_is_kept_extends_the_plain_baseline_and_holds_level_and_curve(run, kept):
    calibrated = json.loads(run("baseline", "show", "calibrated", "--store", kept, "--json"))
    plain = json.loads(run("baseline", "show", calibrated["extends"], "--store", kept, "--json"))
    for part in ("predictions", "outcomes"):
        assert calibrated[part]["level"] == calibrated[part]["calibration"]["level"] > 0
        assert calibrated[part]["calibration"]["curve"][0]["alarms"]
        assert calibrated[part]["columns"] == plain[part]["columns"]
        assert (
            calibrated[part]["level"] == calibrated["calibration"]["level"] * calibrated[part]["calibration"]["union"]
        )
        assert "level" not in plain[part]
    assert calibrated["calibration"]["curve"][0]["alarms"]
    entries = json.loads(run("baseline", "list", "--store", kept, "--json"))
    assert {entry["rows"] for entry in entries} == {ROWS}


def test_a_replay_against_a_calibrated_baseline_runs_at_its_level_and_tells_nothing_of_calm_traffic(run, kept, log):
    report = json.loads(run("replay", log / "named.yaml", *files(log, PREDICTIONS, LABELS), "--json"))
    assert report["alerts"] == []
    assert report["models"]["fraud"]["accounting"]["predictions"] == ROWS


def test_a_baseline_alone_is_simulated_from_its_profiles_and_the_same_seed_says_the_same(run, kept, log):
    command = ["calibrate", log / "named.yaml", *FEW, "--json"]
    first, again, other = (json.loads(run(*command, *seed)) for seed in ((), (), ("--seed", "2")))
    assert first == again != other
    assert first["saved"] is False
    assert "profiles of the baseline" in first["tracks"]["predictions"]["rows"]
    assert first["budget"].startswith("1 per")
    assert first["tracks"]["outcomes"]["delays"] == []
    assert first["expected"][2] <= 1.0 + 1e-9 >= first["level"]
    assert [len(point["alarms"]) for point in first["curve"]] == [16] * len(first["curve"])


def test_people_are_shown_budget_level_expectation_delays_and_where_the_rows_came_from(run, log, tmp_path):
    told = run(
        "calibrate",
        log / "watch.yaml",
        *files(log, PREDICTIONS),
        "--events",
        "10000",
        "--repeats",
        "1",
        "--output",
        tmp_path / "b.json",
    )
    shown = (
        "budget: 1 per",
        "for all monitors",
        "(chosen)",
        "(union bound)",
        "share",
        "expected",
        "Lorden",
        "bl-",
    )
    for words in (*shown, "rows of the log"):
        assert words in told
    assert json.loads((tmp_path / "b.json").read_bytes())["predictions"]["calibration"]["rows"] in told


def test_monitors_that_do_not_follow_the_level_leave_with_1(run, log, tmp_path):
    text = (log / "watch.yaml").read_text()
    stubborn = "{sequential: {name: shiryaev_roberts_ranks, parameters: {average_run_length: 100}}}"
    (tmp_path / "stubborn.yaml").write_text(text + f"    monitors: {{drift: {stubborn}}}\n")
    command = ["calibrate", tmp_path / "stubborn.yaml", *files(log, PREDICTIONS), "--events", "30000", "--repeats", "0"]
    assert "no level meets the budget" in run(*command, code=1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "there is none to simulate from yet"),
        (["--baseline", "nobody"], 2, "no baseline 'nobody'"),
        (["--baseline", "missing.json"], 2, "cannot be read"),
        (["--model", "nobody"], 2, "no model 'nobody'"),
        (["--name", "x"], 2, "--save"),
        (["--events", "10"], 2, "10000"),
        (["--file", "x"], 2, "TOPIC=PATH"),
    ],
)
def test_what_cannot_be_done_says_why_and_leaves_with_its_code(run, kept, log, arguments, code, words):
    assert words in run("calibrate", log / "watch.yaml", *arguments, code=code)


def test_a_log_without_a_usable_prediction_leaves_with_5(run, log, tmp_path):
    (tmp_path / "empty.jsonl").write_text("{}\n")
    assert run("calibrate", log / "watch.yaml", "--file", f"{PREDICTIONS}={tmp_path / 'empty.jsonl'}", code=5)


def test_a_named_baseline_that_is_not_there_leaves_with_3(run, kept, log, tmp_path):
    text = (log / "named.yaml").read_text().replace("name: calibrated", "name: nobody")
    (tmp_path / "nobody.yaml").write_text(text)
    assert "nobody" in run("calibrate", tmp_path / "nobody.yaml", code=3)
