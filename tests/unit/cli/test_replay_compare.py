"""`anchorwatch replay --compare`: two configurations over one log."""

import json

import pytest

from anchorwatch.cli.main import main
from anchorwatch.simulate.scenario import FAST, configuration
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS

WATCH = configuration(FAST.baseline)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return left.value.code, told.out, told.err


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Write the fast story of the simulator until shortly behind the fall of accuracy."""
    folder = tmp_path_factory.mktemp("log")
    rows = {PREDICTIONS: [], LABELS: []}
    for message in FAST.traffic(7).messages():
        rows[message.topic].append(message.value)
    for topic, values in rows.items():
        (folder / f"{topic}.jsonl").write_bytes(b"".join(value + b"\n" for value in values[:12_000]))
    (folder / "watch.yaml").write_text(WATCH)
    return folder


@pytest.fixture
def compare(capsys, log, tmp_path):
    """Compare the configuration of the log with another one; return the object that is printed."""

    def compared(other, *more):
        path = tmp_path / "other.yaml"
        path.write_text(other)
        given = [part for topic in (PREDICTIONS, LABELS) for part in ("--file", f"{topic}={log / topic}.jsonl")]
        code, out, err = run(capsys, "replay", log / "watch.yaml", *given, "--compare", path, *more)
        assert code == 0, err
        return json.loads(out) if "--json" in more else out

    return compared


def test_a_configuration_compared_with_itself_tells_everything_alike(compare):
    found = compare(WATCH, "--json")
    assert {difference["change"] for difference in found["differences"]} == {"same"}
    counts = found["models"]["fraud"]["accounting"]
    assert counts["first"] == counts["second"]
    assert counts["first"]["predictions"] == counts["first"]["labels"] == 12_000


def test_what_the_other_configuration_tells_earlier_or_no_more_is_said_with_the_difference(compare):
    other = WATCH.replace("segments: [country]", "windows: {size: 500}").replace("min_labels: 500", "min_labels: 100")
    found = compare(other, "--json")
    model = found["models"]["fraud"]
    assert model["alerts"]["lost"] > 0, "those of segments"
    assert model["triggers"] == {"gained": 0, "lost": 0, "earlier": 1, "later": 0, "regraded": 0, "same": 0}
    (trigger,) = (d for d in found["differences"] if d["what"] == "trigger")
    assert trigger["seconds"] < 0
    assert -500 < trigger["predictions"] < 0, "about as many fewer labels had to come"
    lost = [d["labels"] for d in found["differences"] if d["change"] == "lost"]
    assert all(labels["segment"].startswith("country=") for labels in lost)


def test_what_the_other_configuration_tells_in_addition_is_said(compare):
    found = compare(WATCH.replace("when: accuracy worse", "when: [drift, accuracy worse]"), "--json")
    assert found["models"]["fraud"]["triggers"]["earlier"] == 1
    none = compare(WATCH.replace("    retrain: {when: accuracy worse, min_labels: 500, cooldown: 1d}\n", ""), "--json")
    assert none["models"]["fraud"]["triggers"]["lost"] == 1


def test_for_people_there_is_a_line_for_each_difference_and_a_table(compare):
    out = compare(WATCH.replace("min_labels: 500", "min_labels: 100"))
    (line,) = (line for line in out.splitlines() if " earlier " in line and "retrain" in line)
    assert "predictions earlier: retrain fraud, policy default, incident 1" in line
    rows = [line.split() for line in out.splitlines() if line.strip().startswith("fraud:")]
    assert ["fraud:", "triggers", "1", "1", "0", "0", "1", "0", "0", "0"] in rows
    assert [row[1] for row in rows] == ["alerts", "incidents", "triggers"]


def test_models_and_topics_that_one_configuration_alone_has_are_named(compare, capsys, log, tmp_path):
    unlabelled = "".join(
        line for line in WATCH.splitlines(keepends=True) if not line.lstrip().startswith(("labels:", "retrain:"))
    )
    renamed = unlabelled.replace("  fraud:\n", "  other:\n")
    out = compare(renamed)
    assert "only in the first configuration, so not compared: models fraud" in out
    assert "only in the second configuration, so not compared: models other" in out
    assert f"read by the first configuration alone: topics {LABELS}" in out
    found = compare(renamed, "--json")
    assert (found["models"], found["differences"]) == ({}, [])
    assert found["only_first"] == {"models": ["fraud"], "topics": [LABELS]}


@pytest.mark.parametrize("more", [["--follow"], ["--output", "out"]])
def test_a_comparison_follows_no_log_and_writes_no_messages(capsys, log, more):
    given = ["--file", f"{PREDICTIONS}=x.jsonl", "--compare", log / "watch.yaml", *more]
    code, _, err = run(capsys, "replay", log / "watch.yaml", *given)
    assert code == 2
    assert "leave --follow and --output away" in err


def test_a_mistake_in_the_other_configuration_is_named_with_its_file(capsys, log, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(WATCH.replace("segments:", "segmentz:"))
    given = ["--file", f"{PREDICTIONS}={log / PREDICTIONS}.jsonl", "--file", f"{LABELS}={log / LABELS}.jsonl"]
    code, _, err = run(capsys, "replay", log / "watch.yaml", *given, "--compare", wrong)
    assert code == 3
    assert "wrong.yaml" in err
