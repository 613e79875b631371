import csv
import json
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anchorwatch.cli.main import main
from anchorwatch.clock import SystemClock
from anchorwatch.replay import replay
from anchorwatch.settings.loader import load
from anchorwatch.simulate.scenario import FAST, configuration
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS
from anchorwatch.transport.files import FileSource


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return left.value.code, told.out, told.err


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Write the fast story of the simulator as JSONL, CSV and Parquet, with its configuration."""
    folder = tmp_path_factory.mktemp("log")
    rows = {PREDICTIONS: [], LABELS: []}
    for message in FAST.traffic(7).messages():
        rows[message.topic].append(message.value)
    for topic, values in rows.items():
        (folder / f"{topic}.jsonl").write_bytes(b"".join(value + b"\n" for value in values))
        objects = [json.loads(value) for value in values]
        names = list(dict.fromkeys(name for each in objects for name in each))
        with (folder / f"{topic}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(objects)
        columns = {name: [each.get(name) for each in objects] for name in names}
        pq.write_table(pa.table(columns), folder / f"{topic}.parquet", row_group_size=3000)
    (folder / "watch.yaml").write_text(configuration(FAST.baseline))
    return folder


def files(log, kind):
    return [part for topic in (PREDICTIONS, LABELS) for part in ("--file", f"{topic}={log / topic}.{kind}")]


def told(capsys, log, kind):
    code, out, _ = run(capsys, "replay", log / "watch.yaml", *files(log, kind), "--json")
    assert code == 0
    return json.loads(out)


def test_the_same_rows_as_jsonl_csv_and_parquet_give_the_same_alerts_triggers_and_baselines(capsys, log):
    jsonl, text, parquet = (told(capsys, log, kind) for kind in ("jsonl", "csv", "parquet"))
    assert len(jsonl["alerts"]) > 5
    assert len(jsonl["triggers"]) == 1
    ids = [[alert["id"] for alert in each["alerts"]] for each in (jsonl, text, parquet)]
    assert ids[0] == ids[1] == ids[2]
    assert jsonl["triggers"][0]["id"] == parquet["triggers"][0]["id"] == text["triggers"][0]["id"]
    assert jsonl["models"]["fraud"]["baselines"] == parquet["models"]["fraud"]["baselines"]


def test_a_replay_ends_with_the_newest_accuracy_of_each_version_and_what_is_not_mature(capsys, log):
    accuracy = told(capsys, log, "jsonl")["models"]["fraud"]["accuracy"]
    assert accuracy
    for figures in accuracy:
        found = figures["metrics"]["roc_auc"]
        assert found["low"] < found["value"] < found["high"]
        assert 0 < figures["coverage"] <= 1
        assert figures["from"] < figures["until"]
        assert figures["maturing"]["predictions"] >= figures["maturing"]["labelled"]


def test_every_record_of_a_replay_is_accounted_for(capsys, log):
    counts = told(capsys, log, "jsonl")["models"]["fraud"]["accounting"]
    rows = len((log / f"{LABELS}.jsonl").read_bytes().splitlines())
    assert counts["predictions"] == FAST.events
    assert counts["labels"] == rows
    assert counts["matched"] == rows


def test_a_replay_ends_with_alerts_in_event_time_and_a_table(capsys, log):
    code, out, _ = run(capsys, "replay", log / "watch.yaml", *files(log, "jsonl"))
    assert code == 0
    lines = [line for line in out.splitlines() if line.startswith("2025-")]
    assert [line.split()[0].removesuffix("Z") for line in lines] == sorted(
        line.split()[0].removesuffix("Z") for line in lines
    )
    assert any("retrain" in line for line in lines)
    told = [line.split()[1] for line in lines if "incident 1, " in line and "retrain" not in line]
    assert (told[0], set(told[1:-1]), told[-1]) == ("opened", {"updated"}, "resolved")
    assert "20,000" in out


def test_a_replay_of_a_log_that_is_not_sorted_says_that_most_was_not_watched_and_what_to_do(capsys, log, tmp_path):
    rows = (log / f"{PREDICTIONS}.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "reversed.jsonl").write_bytes(b"".join(rows[::-1]))
    reverse, labels = tmp_path / "reversed.jsonl", log / f"{LABELS}.jsonl"
    parts = ("--file", f"{PREDICTIONS}={reverse}", "--file", f"{LABELS}={labels}")
    code, out, _ = run(capsys, "replay", log / "watch.yaml", *parts)
    assert (code, "sort the log by event time, or raise `lateness`" in out) == (0, True)
    code, out, _ = run(capsys, "replay", log / "watch.yaml", *files(log, "jsonl"))
    assert (code, "sort the log" in out) == (0, False)


def test_a_replay_writes_its_messages_where_it_is_told_to(capsys, log, tmp_path):
    code, out, _ = run(capsys, "replay", log / "watch.yaml", *files(log, "jsonl"), "--output", tmp_path, "--json")
    assert code == 0
    written = [json.loads(line)["id"] for line in (tmp_path / "anchorwatch.alerts.jsonl").read_bytes().splitlines()]
    report = json.loads(out)
    assert sorted(written) == sorted(each["id"] for each in report["alerts"] + report["incidents"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--file TOPIC=PATH"),
        (["--kafka", "--file", "a=b"], "--file TOPIC=PATH"),
        (["--file", "nonsense"], "write TOPIC=PATH"),
        (["--file", "other=x.jsonl"], "nobody reads other"),
        (["--file", f"{PREDICTIONS}=x.jsonl"], f"missing for {LABELS}"),
    ],
)
def test_a_replay_that_was_asked_for_wrongly_says_what_to_write_and_leaves_with_2(capsys, log, arguments, words):
    code, _, err = run(capsys, "replay", log / "watch.yaml", *arguments)
    assert code == 2
    assert words in err


def test_an_empty_log_leaves_with_5(capsys, log, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    given = ["--file", f"{PREDICTIONS}={empty}", "--file", f"{LABELS}={empty}"]
    code, _, err = run(capsys, "replay", log / "watch.yaml", *given)
    assert code == 5
    assert "not one record" in err


def test_a_replay_from_a_broker_that_is_not_configured_leaves_with_3(capsys, log):
    code, _, err = run(capsys, "replay", log / "watch.yaml", "--kafka")
    assert code == 3
    assert "no section `kafka`" in err


def test_a_replay_that_follows_a_log_tells_incidents_as_they_are_written(log, tmp_path):
    paths = {topic: tmp_path / f"{topic}.jsonl" for topic in (PREDICTIONS, LABELS)}
    whole = {topic: (log / f"{topic}.jsonl").read_bytes().splitlines(keepends=True) for topic in paths}
    for topic, path in paths.items():
        path.write_bytes(b"".join(whole[topic][: len(whole[topic]) // 2]))
    clock, lines, stop = SystemClock(), [], threading.Event()

    def until():
        if len(lines) == 0 and source.caught_up() == set(source.partitions()):
            for topic, path in paths.items():
                with path.open("ab") as file:
                    file.writelines(whole[topic][len(whole[topic]) // 2 :])
            lines.append("the rest was written")
        return stop.is_set()

    def tell(line):
        lines.append(line)
        if "retrain" in line:
            stop.set()

    source = FileSource({topic: [str(path)] for topic, path in paths.items()}, follow=True, clock=clock)
    settings = load(configuration(FAST.baseline) + "    event_time: {idle_after: 1s}\n", {})
    report = replay(settings, source, clock, tell=tell, until=until)
    source.close()
    assert any("incident 1 opened: " in line for line in lines)
    assert len(report.triggers) == 1
