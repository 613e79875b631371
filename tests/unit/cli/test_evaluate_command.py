import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anchorwatch.cli.main import main
from anchorwatch.evaluation.streams import NAMED, parse
from anchorwatch.simulate.scenario import FAST, configuration
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS
from anchorwatch_detectors import registry, synth

ROWS, CHANGE = 6000, 4000
FEW = ["--detector", "adwin", "--detector", "shiryaev_roberts"]


@pytest.fixture
def run(capsys):
    def ran(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main(["evaluate", *(str(argument) for argument in arguments)])
        told = capsys.readouterr()
        assert left.value.code == code, told.err
        return told.out if code == 0 else told.err

    return ran


@pytest.fixture
def tried(run):
    """Run a command with --json and return its evaluation, with its detectors by name."""

    def ran(*arguments):
        (found,) = json.loads(run(*arguments, "--json"), parse_constant=pytest.fail)["evaluations"]
        return found | {"detectors": {each["detector"]: each for each in found["detectors"]}}

    return ran


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Write a scored log as CSV, JSONL and Parquet: the model errs more, and amounts rise, from CHANGE on."""
    folder = tmp_path_factory.mktemp("logs")
    wrong = synth.abrupt(synth.bernoulli(ROWS, 1, 0.1), synth.bernoulli(ROWS, 2, 0.5), CHANGE)
    amounts = synth.abrupt(synth.lognormal(ROWS, 3), synth.lognormal(ROWS, 4, mean=1.0), CHANGE)
    rows = [
        {
            "amount": round(amount, 6),
            "truth": int(i % 2),
            "said": int(i % 2 != bad),
            "score": 0.9 if i % 2 != bad else 0.2,
            "wrong": bool(bad),
            "channel": "web",
        }
        for i, (amount, bad) in enumerate(zip(amounts.tolist(), wrong.tolist(), strict=True))
    ]
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for number, part in enumerate((rows[:2500], rows[2500:])):
        (folder / f"part-{number}.jsonl").write_text("".join(json.dumps({"at": row}) + "\n" for row in part))
    pq.write_table(pa.Table.from_pylist(rows), folder / "log.parquet")
    return folder


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    """Write the fast story of the simulator, and return the options that name it."""
    folder = tmp_path_factory.mktemp("traffic")
    messages = list(FAST.traffic(7).messages())
    for topic in (PREDICTIONS, LABELS):
        lines = [message.value + b"\n" for message in messages if message.topic == topic]
        (folder / f"{topic}.jsonl").write_bytes(b"".join(lines))
    (folder / "watch.yaml").write_text(configuration(FAST.baseline))
    given = [part for topic in (PREDICTIONS, LABELS) for part in ("--file", f"{topic}={folder / topic}.jsonl")]
    return [folder / "watch.yaml", *given]


def test_a_change_of_the_errors_in_a_log_is_found_by_every_registered_detector_or_told_as_missed(tried, logs):
    found = tried("log", logs / "log.csv", "--prediction", "said", "--label", "truth", "--change", CHANGE)
    assert set(found["detectors"]) == set(registry.names("sequential"))
    assert all(each["detected"] + each["missed"] == 1 for each in found["detectors"].values())
    best = found["detectors"]["shiryaev_roberts"]
    assert (best["detected"], best["false_alarms"], best["precision"]) == (1, 0, 1.0)
    assert best["delay"] == best["alarm_rows"][0] - CHANGE + 1


def test_a_log_says_the_same_whatever_its_format_and_however_its_errors_stand_in_it(tried, logs):
    change = ["--change", CHANGE, *FEW]
    parts = ["log", logs / "part-*.jsonl"]
    found = [
        tried("log", logs / "log.csv", "--prediction", "said", "--label", "truth", *change),
        tried("log", logs / "log.csv", "--prediction", "score", "--label", "truth", "--threshold", "0.5", *change),
        tried("log", logs / "log.csv", "--column", "wrong", *change),
        tried("log", logs / "log.parquet", "--column", "wrong", *change),
        tried(*parts, "--prediction", "at.said", "--label", "at.truth", *change),
    ]
    assert all(each["errors"] and each["rows"] == ROWS for each in found)
    assert [each["detectors"] == found[0]["detectors"] for each in found] == [True] * len(found)


def test_a_numeric_column_is_fed_as_ranks_and_what_counts_errors_is_left_out(tried, run, logs):
    command = ["log", logs / "log.csv", "--column", "amount", "--change", CHANGE]
    found = tried(*command)
    assert found["left_out"] == ["ddm", "eddm", "fhddm", "rddm", "stepd"]
    assert found["baseline"] == CHANGE // 2
    assert found["detectors"]["shiryaev_roberts_ranks"]["fed"] == "ranks"
    assert found["detectors"]["shiryaev_roberts_ranks"]["detected"] == 1
    assert found["detectors"]["kswin"]["fed"] == "values"
    assert tried(*command, "--feed", "ranks", "--detector", "kswin")["detectors"]["kswin"]["fed"] == "ranks"


def test_the_table_says_what_was_looked_at_and_what_nan_means(run, logs):
    given = ["--column", "amount", "--change", CHANGE, "--detector", "cusum:threshold=1000000000.0", *FEW]
    told = run("log", logs / "log.csv", *given, "--max-delay", 100)
    assert "amount, 6,000 rows. Baseline: rows 0 to 1,999 (mean " in told
    assert "Known changes: row 4,000." in told
    assert "An alarm within 100 values detects a change." in told
    assert "no delay without a detection" in told
    lines = {line.split("│")[1].strip(): line for line in told.splitlines() if line.startswith("│")}
    assert list(lines)[-1] == "cusum:threshold=1000000000.0"
    assert [cell.strip() for cell in lines["cusum:threshold=1000000000.0"].split("│")[2:-1]] == [
        "ranks", "0", "1", "NaN", "0", "NaN", "NaN", "0.000", "0.000",
    ]  # fmt: skip


def test_a_narrow_screen_shows_every_number_whole_and_says_what_it_leaves_out(run, logs, monkeypatch):
    given = ["log", logs / "log.csv", "--column", "wrong", "--change", CHANGE, "--detector", "shiryaev_roberts_ranks"]
    whole = run(*given).splitlines()
    for name, value in (("FORCE_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "80")):
        monkeypatch.setenv(name, value)
    narrow = run(*given).splitlines()
    (row,) = (line.split() for line in narrow if line.startswith("shiryaev_roberts_ranks"))
    (cells,) = (line.replace("│", " ").split() for line in whole if "│ shiryaev_roberts_ranks" in line)
    assert row == [*cells[:7], cells[-1]]
    assert "This screen is too narrow for precision and recall; --json has them." in narrow


def test_a_small_baseline_is_told(run, logs):
    given = ["log", logs / "log.csv", "--column", "wrong", "--detector", "adwin"]
    assert "only 7 usable values" in run(*given, "--baseline", 7)
    assert "only" not in run(*given, "--baseline", 1000)


def test_errors_that_seem_turned_round_are_told(run, tmp_path):
    for name, share in (("right", 0.9), ("wrong", 0.1)):
        values = synth.bernoulli(3000, 1, share)
        (tmp_path / f"{name}.csv").write_text("x\n" + "".join(f"{value:g}\n" for value in values))
    given = ["--column", "x", "--detector", "adwin"]
    assert "Is 1 right instead of wrong here?" in run("log", tmp_path / "right.csv", *given)
    assert "Is 1 right instead of wrong here?" not in run("log", tmp_path / "wrong.csv", *given)


def test_values_beyond_all_measure_are_passed_over(tried, tmp_path):
    cells = ["1e308", "-1e308", "1", "2", "", "nan", "inf", "1e-320", "3"] * 60
    (tmp_path / "huge.csv").write_text("\n".join(["x", *cells]))
    assert tried("log", tmp_path / "huge.csv", "--column", "x", "--change", 300)["missing"] == 180


def test_without_a_change_false_alarms_alone_are_counted_and_the_rest_is_null(tried, logs):
    found = tried("log", logs / "log.csv", "--column", "wrong", "--baseline", 3000, "--detector", "adwin")
    adwin = found["detectors"]["adwin"]
    assert adwin["false_alarms"] >= 1
    assert (adwin["delay"], adwin["recall"]) == (None, None)
    assert adwin["between_false_alarms"] == 3000 / adwin["false_alarms"]


def test_rows_without_a_usable_value_are_counted_and_keep_their_place(tried, run, logs, tmp_path):
    rows = (logs / "log.csv").read_text().splitlines()
    rows[11:21] = ["broken"] * 10
    (tmp_path / "holes.csv").write_text("\n".join(rows))
    command = ["log", tmp_path / "holes.csv", "--column", "wrong", "--change", CHANGE, *FEW]
    found = tried(*command)
    assert (found["rows"], found["missing"]) == (ROWS, 10)
    assert found["detectors"]["shiryaev_roberts"]["detected"] == 1
    assert "10 rows have no usable value" in run(*command)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either --column, or both"),
        (["--prediction", "said"], "either --column, or both"),
        (["--column", "amount", "--label", "truth"], "either --column, or both"),
        (["--column", "amuont"], "did you mean 'amount'?"),
        (["--column", "channel"], "not numeric: 6,000 of 6,000 values are no number, the first in row 0: 'web'"),
        (["--prediction", "score", "--label", "truth"], "give --threshold"),
        (["--prediction", "said", "--label", "amount", "--threshold", "1"], "beside --threshold a label is 0 or 1"),
        (["--column", "amount", "--change", "6000"], "rows 0 to 5999"),
        (["--column", "amount", "--change", "0"], "the first cannot be new"),
        (["--column", "amount", "--change", "50", "--baseline", "100"], "within the baseline"),
        (["--column", "amount", "--baseline", "6000"], "nothing would be left"),
        (["--column", "amount", "--baseline", "0"], "held against its baseline"),
        (["--column", "amount", "--detector", "ddm"], "counts errors"),
        (["--column", "amount", "--detector", "adwn"], "did you mean 'adwin'?"),
        (["--column", "amount", "--detector", "adwin:delta=2"], "delta must be"),
        (["--column", "amount", "--detector", "adwin:delta"], "write NAME:param=value"),
        (["--column", "amount", "--detector", "river.drift.Nothing"], "river has no"),
        (["--column", "amount", "--feed", "raw"], "none of ranks, values"),
        (["--column", "amount", "--smallest-shift", "inf"], "finite number"),
    ],
)
def test_what_cannot_be_judged_on_a_log_says_why_and_leaves_with_2(run, logs, arguments, words):
    assert words in run("log", logs / "log.csv", *arguments, code=2)


@pytest.mark.parametrize(
    ("name", "text", "code", "words"),
    [
        ("empty.csv", "", 5, "not one row"),
        ("names.csv", "a,b\n", 5, "not one row"),
        ("gaps.csv", "a,b\n,1\n,2\n", 5, "no value in any of 2 rows"),
        ("lists.jsonl", "[1]\n[2]\n", 2, "no row is an object"),
        ("log.txt", "a\n1\n", 2, "its kind is not known"),
        ("damaged.parquet", "PAR1", 5, "no Parquet file"),
    ],
)
def test_a_file_that_holds_nothing_to_judge_says_so(run, tmp_path, name, text, code, words):
    (tmp_path / name).write_text(text)
    assert words in run("log", tmp_path / name, "--column", "a", code=code)


def test_a_log_that_is_not_there_leaves_with_2(run, tmp_path):
    assert "there is no such file" in run("log", tmp_path / "nothing.csv", "--column", "a", code=2)


def test_a_made_up_stream_is_drawn_again_with_each_seed_and_the_same_next_time(tried):
    command = ["stream", "bernoulli:0.1->0.5@2000", "--seeds", 3, "--baseline", 2000, *FEW]
    found = tried(*command)
    assert found == tried(*command)
    best = found["detectors"]["shiryaev_roberts"]
    assert (best["changes"], best["detected"], best["events"]) == (3, 3, 12_000)
    assert "alarm_rows" not in best


def test_several_streams_are_told_one_after_the_other(run):
    told = run("stream", "bernoulli:0.1/2000", "normal:0->2@1000~500", "--seeds", 1, "--baseline", 500, *FEW)
    assert told.index("bernoulli:0.1/2000: bernoulli values at 0.1;") < told.index("normal:0->2@1000~500: normal")


@pytest.mark.parametrize("name", NAMED)
def test_every_stream_with_a_name_is_told_in_the_help_and_changes_where_it_says(run, name):
    assert name in "".join(run("stream", "--help").split())
    stream = parse(name)
    trial = stream.trial(seed=1, baseline=1000)
    assert (len(trial.baseline), len(trial.values)) == (1000, stream.length)
    assert trial.changes.tolist() == ([] if stream.at is None else [stream.at])
    at = stream.length // 2 if stream.at is None else stream.at + stream.width
    rise = trial.values[at:].mean() - trial.values[: stream.at or at].mean()
    assert rise == pytest.approx(stream.new - stream.old, abs=0.1 if not stream.errors else 0.01)


def test_a_gradual_change_does_not_begin_before_its_position_and_is_complete_after_its_width():
    values = parse("normal:0->100@1000~500/3000").trial(seed=4, baseline=10).values
    assert np.flatnonzero(values > 50)[0] >= 1000
    assert 0 < (values[1000:1500] > 50).sum() < 500
    assert (values[1500:] > 50).all()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bernoulli:0.05-", "in quotes"),
        ("poisson:1->2@100", "Families:"),
        ("bernoulli:0.5->1.5@100", "lie in [0, 1]"),
        ("normal:0->1e999@100", "finite"),
        ("normal:0->1@100~100/150", "over before the stream is"),
        ("normal:0/99999999", "10,000,000"),
        ("normal:0->1@0", "1 to"),
    ],
)
def test_what_is_no_stream_says_what_is_and_leaves_with_2(run, name, words):
    assert words in run("stream", name, *FEW, code=2)


def test_a_configuration_is_judged_by_its_alerts_for_each_kind(run, tried, traffic):
    faults = [fault.at_event for fault in FAST.faults[:3]]
    changes = [part for at in faults for part in ("--change", at)]
    found = json.loads(run("watch", *traffic, *changes, "--json"))["evaluations"][0]
    kinds = {each["kind"]: each for each in found["kinds"]}
    assert list(kinds) == ["schema", "quality", "drift", "prediction", "accuracy", "latency", "any"]
    assert (found["predictions"], found["baseline"]) == (FAST.events, FAST.baseline)
    assert (kinds["any"]["detected"], kinds["any"]["false_alarms"], kinds["any"]["f1"]) == (3, 0, 1.0)
    assert [kinds[kind]["detected"] for kind in ("schema", "drift", "accuracy")] == [1, 1, 1]
    assert 0 < kinds["any"]["delay"] < 1000
    assert kinds["any"]["delay_seconds"] > 0
    assert kinds["latency"]["delay_seconds"] is None
    by_time = [part for at in found["changes"] for part in ("--change", at)]
    assert json.loads(run("watch", *traffic, *by_time, "--json"))["evaluations"] == [found]


def test_alerts_before_a_change_are_false_and_those_too_late_detect_nothing(run, traffic):
    told = run("watch", *traffic, "--change", FAST.faults[1].at_event, "--max-delay", 10)
    line = next(line for line in told.splitlines() if line.startswith("│ any"))
    _, _, detected, missed, delay, _, false, *_ = (cell.strip() for cell in line.split("│"))
    assert (detected, missed, delay) == ("0", "1", "NaN")
    assert int(false) >= 1


@pytest.mark.parametrize(
    ("change", "words"),
    [("soon", "neither"), ("20000", "predictions 0 to 19999"), ("1999-01-01", "made from"), ("100", "the baseline")],
)
def test_a_change_that_is_not_in_the_log_of_a_configuration_leaves_with_2(run, traffic, change, words):
    assert words in run("watch", *traffic, "--change", change, code=2)


def test_a_configuration_without_a_log_leaves_with_2_and_with_an_empty_one_with_5(run, traffic, tmp_path):
    assert "--file TOPIC=PATH" in run("watch", traffic[0], code=2)
    (tmp_path / "empty.jsonl").touch()
    given = [part for topic in (PREDICTIONS, LABELS) for part in ("--file", f"{topic}={tmp_path / 'empty.jsonl'}")]
    assert "not one record" in run("watch", traffic[0], *given, code=5)
