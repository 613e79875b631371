import json
import math

import msgspec
import numpy as np
import pytest

from anchorwatch.baselines import difference
from anchorwatch.cli.main import main
from anchorwatch.engine.baseline import Baseline
from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.scenario import Scenario, configuration
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS

ROWS = 3000


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Write calm traffic, drifted traffic, and traffic of two versions, with a configuration."""
    folder = tmp_path_factory.mktemp("baseline")
    stories = {
        "calm": (),
        "drifted": (Fault(FaultKind.AMOUNT_DRIFT, 0),),
        "two": (Fault(FaultKind.NEW_VERSION, ROWS // 2),),
    }
    for name, faults in stories.items():
        messages = list(Scenario(ROWS, ROWS, faults).traffic(3).messages())
        for topic in (PREDICTIONS, LABELS):
            lines = [message.value + b"\n" for message in messages if message.topic == topic]
            (folder / f"{name}.{topic}.jsonl").write_bytes(b"".join(lines))
    (folder / "watch.yaml").write_text(configuration(ROWS, store=str(folder / "store.db")))
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


def given(log, name, *topics):
    return [part for topic in topics for part in ("--file", f"{topic}={log / name}.{topic}.jsonl")]


@pytest.fixture(scope="module")
def built(log):
    """Build the calm and the drifted baseline into the store, by name."""
    for name in ("calm", "drifted"):
        with pytest.raises(SystemExit) as left:
            main(["baseline", "build", str(log / "watch.yaml"), *given(log, name, PREDICTIONS, LABELS), "--name", name])
        assert left.value.code == 0
    return log / "store.db"


def test_a_baseline_that_was_built_is_listed_with_its_rows_and_its_name(run, built):
    entries = json.loads(run("baseline", "list", "--store", built, "--json"))
    named = {name: entry for entry in entries for name in entry["names"]}
    assert set(named) == {"calm", "drifted"}
    assert named["calm"]["rows"] == ROWS
    assert named["calm"]["id"] in run("baseline", "show", "calm", "--store", built)


def test_building_from_the_same_log_twice_gives_the_same_id(run, built, log):
    command = ["baseline", "build", log / "watch.yaml", *given(log, "calm", PREDICTIONS, LABELS), "--json"]
    again = json.loads(run(*command))
    assert again["id"] in run("baseline", "show", "calm", "--store", built)
    assert again["accounting"]["predictions"] == ROWS


def test_a_baseline_of_a_log_equals_the_one_a_replay_makes_of_its_first_rows(run, built, log):
    replayed = json.loads(run("replay", log / "watch.yaml", *given(log, "calm", PREDICTIONS, LABELS), "--json"))[
        "models"
    ]["fraud"]["baselines"]
    document = json.loads(run("baseline", "show", "calm", "--store", log / "store.db", "--json"))
    assert len(replayed) == 1  # labels that never came leave the part about errors unfinished
    first = Baseline.from_json(
        msgspec.json.encode({**document, "outcomes": None, "configuration": document["configuration"]})
    )
    assert first.id == replayed[0]


def test_the_difference_of_two_baselines_puts_the_column_that_moved_first(run, built):
    rows = json.loads(run("baseline", "diff", "calm", "drifted", "--store", built, "--json"))
    assert rows[0]["column"] == "amount"
    assert rows[0]["distance"] > 0.1
    assert "amount" in run("baseline", "diff", "calm", "drifted", "--store", built)


def test_a_baseline_does_not_differ_from_itself(run, built):
    document = run("baseline", "show", "calm", "--store", built, "--json")
    baseline = Baseline.from_json(document.strip())
    assert {row.distance for row in difference(baseline, baseline)} == {0.0}


def test_a_baseline_travels_as_a_file_and_keeps_its_id(run, built, tmp_path):
    run("baseline", "export", "calm", tmp_path / "calm.json", "--store", built)
    told = run("baseline", "import", tmp_path / "calm.json", "--store", tmp_path / "other.db", "--name", "there")
    assert json.loads(run("baseline", "list", "--store", tmp_path / "other.db", "--json"))[0]["id"] in told
    assert run("baseline", "diff", tmp_path / "calm.json", "there", "--store", tmp_path / "other.db", "--json")


def test_a_name_moves_to_the_baseline_it_is_given_to(run, log, tmp_path):
    store = tmp_path / "names.db"
    for name in ("calm", "drifted"):
        file = tmp_path / f"{name}.json"
        run("baseline", "build", log / "watch.yaml", *given(log, name, PREDICTIONS), "--output", file)
        run("baseline", "import", file, "--store", store, "--name", "current")
    entries = json.loads(run("baseline", "list", "--store", store, "--json"))
    old = next(entry["id"] for entry in entries if not entry["names"])
    run("baseline", "promote", old, "current", "--store", store)
    entries = json.loads(run("baseline", "list", "--store", store, "--json"))
    assert [entry["id"] for entry in entries if entry["names"] == ["current"]] == [old]


def test_a_watch_against_a_named_baseline_alarms_on_the_first_windows_that_differ(run, built, log, tmp_path):
    text = configuration(ROWS, store=str(built)).replace(f"{{first: {ROWS}}}", "{name: calm}")
    (tmp_path / "named.yaml").write_text(text)
    calm, drifted = (
        json.loads(run("replay", tmp_path / "named.yaml", *given(log, name, PREDICTIONS, LABELS), "--json"))
        for name in ("calm", "drifted")
    )
    assert calm["alerts"] == []
    ident = json.loads(run("baseline", "list", "--store", built, "--json"))
    calm_id = next(entry["id"] for entry in ident if "calm" in entry["names"])
    amount = [alert["data"] for alert in drifted["alerts"] if alert["data"]["labels"]["subject"] == "amount"]
    assert {data["baseline_id"] for data in amount} == {calm_id}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "nobody"], 2, "no baseline 'nobody'"),
        (["show", "missing.json"], 2, "cannot be read"),
        (["import", "missing.json"], 2, "cannot be read"),
        (["export", "calm", "/no/such/folder/x.json"], 2, "cannot be written"),
    ],
)
def test_what_cannot_be_done_says_why_and_leaves_with_its_code(run, built, arguments, code, words):
    assert words in run("baseline", *arguments, "--store", built, code=code)


def test_a_file_that_is_no_baseline_is_refused(run, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    assert "not a baseline" in run("baseline", "import", tmp_path / "x.json", "--store", tmp_path / "s.db", code=3)


def test_a_log_of_several_versions_needs_one_to_be_chosen(run, log, tmp_path):
    command = [
        "baseline",
        "build",
        log / "watch.yaml",
        *given(log, "two", PREDICTIONS),
        "--output",
        tmp_path / "b.json",
    ]
    assert "--version" in run(*command, code=2)
    run(*command, "--version", "2")
    assert json.loads((tmp_path / "b.json").read_bytes())["predictions"]["rows"] == ROWS // 2
    assert "no prediction of version '9'" in run(*command, "--version", "9", code=2)


def test_a_model_that_the_configuration_does_not_have_is_refused(run, log):
    command = ["baseline", "build", log / "watch.yaml", *given(log, "calm", PREDICTIONS), "--model", "nobody"]
    assert "no model 'nobody'" in run(*command, code=2)


def test_a_configuration_that_names_a_baseline_which_is_not_there_leaves_with_3(run, built, log, tmp_path):
    text = configuration(ROWS, store=str(built)).replace(f"{{first: {ROWS}}}", "{name: nobody}")
    (tmp_path / "named.yaml").write_text(text)
    command = ["replay", tmp_path / "named.yaml", *given(log, "calm", PREDICTIONS, LABELS)]
    assert "no baseline 'nobody'" in run(*command, code=3)


SEASONAL = """
store: {store}
models:
  taxi:
    predictions:
      topic: rides
      id: id
      time: at
      features: {{fare: numeric, tip: numeric}}
      prediction: {{kind: regression, value: minutes}}
    baseline: {{first: 2000{season}}}
"""


@pytest.fixture(scope="module")
def rides(tmp_path_factory):
    """Write rides of eight days whose fares follow the day."""
    folder, rng = tmp_path_factory.mktemp("rides"), np.random.default_rng(3)
    hours = np.sort(rng.uniform(0, 24 * 8, 4000))
    lines = []
    for i, hour in enumerate(hours.tolist()):
        fare = 20 + 5 * math.sin(2 * math.pi * hour / 24) + rng.normal()
        ride = {"id": i, "at": 1_777_593_600 + hour * 3600, "fare": fare, "tip": rng.normal(), "minutes": rng.normal()}
        lines.append(json.dumps(ride))
    (folder / "rides.jsonl").write_text("\n".join(lines))
    (folder / "morning.jsonl").write_text("\n".join(lines[:200]))
    for name in ("plain", "day"):
        season = "" if name == "plain" else ", season: day"
        (folder / f"{name}.yaml").write_text(SEASONAL.format(store=folder / "store.db", season=season))
    return folder


def test_a_cycle_in_the_log_is_told_with_what_to_set_and_nothing_is_set(run, rides):
    """The column, how much of it the time of day explains, and the setting; the baseline itself has no season."""
    command = ["baseline", "build", rides / "plain.yaml", "--file", f"rides={rides / 'rides.jsonl'}"]
    told = run(*command)
    line = next(line for line in told.splitlines() if line.startswith("cycle"))
    assert "of the day: fare (9" in line
    assert "tip" not in line
    assert "set `season: day` in models.taxi.baseline" in told
    document = json.loads(run(*command, "--json"))
    assert document["proposed_season"] == "day"
    assert [cycle["column"] for cycle in document["cycles"]] == ["fare"]
    assert "season" not in json.loads(run("baseline", "show", document["id"], "--store", rides / "store.db", "--json"))


def test_with_the_season_set_the_baseline_has_buckets_and_nothing_more_is_proposed(run, rides):
    command = ["baseline", "build", rides / "day.yaml", "--file", f"rides={rides / 'rides.jsonl'}", "--name", "taxi"]
    told = run(*command)
    assert "season       day, in" in told
    assert "set `season" not in told
    assert "season       day, in" in run("baseline", "show", "taxi", "--store", rides / "store.db")
    assert "fare" in run("baseline", "diff", "taxi", "taxi", "--store", rides / "store.db")
    assert json.loads(run(*command, "--json"))["proposed_season"] is None


def test_less_than_a_whole_day_makes_no_baseline_of_a_day(run, rides):
    short = f"rides={rides / 'morning.jsonl'}"
    assert "needs a whole day" in run("baseline", "build", rides / "day.yaml", "--file", short, code=2)
