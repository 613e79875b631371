from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

from anchorwatch.cli.main import main
from anchorwatch.store.curator import Curator

GOOD = """\
store: {store}
models:
  fraud:
    predictions: {{topic: t, id: id, prediction: {{kind: binary, score: p}}}}
    baseline: {baseline}
"""


@pytest.fixture
def write(tmp_path):
    """Write a configuration whose store is in a directory of this test, and return its path."""

    def make(baseline="{first: 100}", store="a.db"):
        path = tmp_path / "conf.yaml"
        path.write_text(GOOD.format(store=tmp_path / store, baseline=baseline), encoding="utf-8")
        return str(path)

    return make


def check(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(["check", *arguments])
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


def test_a_good_configuration_is_ok_and_summed_up(write, capsys):
    path = write()
    code, out, err = check([path], capsys)
    assert (code, err) == (0, "")
    assert out.startswith(f"ok: {path}\n")
    assert "fraud: binary predictions from t" in out


def test_explain_prints_every_setting_and_nothing_else(write, capsys):
    code, out, _ = check([write(), "--explain"], capsys)
    assert code == 0
    assert YAML(typ="safe").load(out)["models"]["fraud"]["windows"]["min_sample"] == 100


def test_json_tells_problems_by_place(tmp_path, capsys):
    path = tmp_path / "conf.yaml"
    path.write_text("models:\n  fraud: 3\n", encoding="utf-8")
    code, out, err = check([str(path), "--json"], capsys)
    assert (code, err) == (3, "")
    said = json.loads(out)
    assert said["ok"] is False
    assert [(p["file"], p["line"], p["column"]) for p in said["problems"]] == [(str(path), 2, 10)]


def test_json_of_a_good_configuration_says_so(write, capsys):
    code, out, _ = check([write(), "--json", "--explain"], capsys)
    assert code == 0
    said = json.loads(out)
    assert said["ok"] is True
    assert "min_sample: 100" in said["explain"]


def test_a_file_that_is_not_there_ends_with_3(capsys):
    assert check(["nowhere.yaml"], capsys)[0] == 3


def test_connect_finds_that_a_store_can_be_made_and_makes_none(write, tmp_path, capsys):
    code, out, _ = check([write(), "--connect"], capsys)
    assert code == 0
    assert "a.db is not there yet and can be made" in out
    assert not (tmp_path / "a.db").exists()


def test_connect_reads_a_store_that_is_there(write, tmp_path, capsys):
    Curator.open_curator(tmp_path / "a.db", holder="test", now=1).close()
    code, out, _ = check([write(), "--connect"], capsys)
    assert code == 0
    assert "a.db can be read: 0 checkpoints" in out


def test_connect_refuses_a_store_that_is_none(write, tmp_path, capsys):
    (tmp_path / "a.db").write_text("not a store", encoding="utf-8")
    code, _, err = check([write(), "--connect"], capsys)
    assert code == 4
    assert "not ok: store:" in err


def test_connect_refuses_a_store_in_a_directory_that_is_not_there(write, capsys):
    code, _, err = check([write(store="nowhere/a.db"), "--connect"], capsys)
    assert code == 4
    assert "does not exist" in err


@pytest.mark.parametrize("baseline", ["{name: production}", "{file: nowhere.json}"])
def test_connect_tells_a_baseline_that_is_not_there(write, baseline, capsys):
    code, _, err = check([write(baseline), "--connect"], capsys)
    assert code == 3
    assert "not ok: baselines: the " in err


def test_connect_tells_a_baseline_file_that_is_none(write, tmp_path, capsys):
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    code, _, err = check([write(f"{{file: {tmp_path / 'b.json'}}}"), "--connect"], capsys)
    assert code == 3
    assert "not a baseline" in err


def test_connect_as_json_tells_each_answer(write, capsys):
    code, out, _ = check([write("{name: production}"), "--connect", "--json"], capsys)
    said = json.loads(out)
    assert code == 3
    assert said["ok"] is False
    assert [(answer["subject"], answer["ok"]) for answer in said["connect"]] == [
        ("store", True),
        ("kafka", True),
        ("baselines", False),
    ]
