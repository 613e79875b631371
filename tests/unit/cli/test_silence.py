"""`anchorwatch silence` and `anchorwatch ack`, beside a daemon and without one."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from anchorwatch.app import models_of
from anchorwatch.cli.main import app
from anchorwatch.clock import SystemClock
from anchorwatch.host import Host, Parts
from anchorwatch.settings.models import Settings
from anchorwatch.store.rows import AlertRow, Checkpoint
from anchorwatch.store.store import Store
from anchorwatch.testing import ListSink, ListSource

HOUR = 3600 * 10**9


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(
        f"store: {tmp_path / 'store.db'}\n"
        "models:\n"
        "  fraud:\n"
        "    predictions: {topic: p, id: id, prediction: {kind: binary, score: s}}\n"
        "    baseline: {first: 100}\n"
    )
    return path


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(tmp_path / "store.db", holder="a daemon", now=SystemClock().now())) as store:
        yield store


@pytest.fixture
def run(config):
    def run(command, *arguments):
        words = [*command.split(), str(config), *map(str, arguments)]
        return CliRunner().invoke(app(), words)

    return run


def daemon(store, tmp_path):
    """Let a daemon on this store turn once."""
    predictions = {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "s"}}
    settings = Settings.model_validate({"models": {"fraud": {"predictions": predictions, "baseline": {"first": 100}}}})
    parts = Parts(ListSource({}), ListSink(), store, SystemClock())
    host = Host(models_of(settings, store), parts, "/a", settings.outputs)
    host.start()
    host.checkpoint()


def firing(incident):
    words = dict.fromkeys(["version", "segment", "subject", "monitor", "severity", "reason"], "")
    return AlertRow(
        id=f"a{incident}", fingerprint=f"f{incident}", model="fraud", kind="drift", status="firing", at=0, starts_at=0,
        ends_at=None, incident=incident, document=b"{}", **words,
    )  # fmt: skip


def test_a_silence_waits_for_a_daemon_is_active_in_it_and_is_over_when_ended(store, run, tmp_path):
    done = run("silence add", "--match", "kind=drift", "--match", "subject=amount", "--for", "2h",
               "--comment", "deploying", "--by", "ann", "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"id": 1}
    (waiting,) = json.loads(run("silence list", "--json").stdout)
    assert (waiting["state"], waiting["by"], waiting["comment"]) == ("waiting", "ann", "deploying")
    assert waiting["matchers"] == ["kind=drift", "subject=amount"]
    daemon(store, tmp_path)
    (active,) = json.loads(run("silence list", "--json").stdout)
    assert (active["state"], active["models"]) == ("active", ["fraud"])
    status = json.loads(run("status", "--json").stdout)["models"][0]
    assert [(s["id"], s["by"], s["comment"]) for s in status["silences"]] == [(1, "ann", "deploying")]
    assert "silence 1 of fraud" in run("status").stdout
    assert run("silence expire", "1", "--by", "bob").exit_code == 0
    daemon(store, tmp_path)
    assert json.loads(run("silence list", "--json").stdout) == []
    (over,) = json.loads(run("silence list", "--all", "--json").stdout)
    assert over["state"] == "over"
    assert run("silence expire", "1").exit_code == 2


def test_a_silence_without_a_name_is_of_the_user_who_gives_it(store, run, monkeypatch):
    monkeypatch.setenv("LOGNAME", "carla")
    until = "2999-01-01T00:00:00Z"
    done = run("silence add", "--match", "severity=warning", "--until", until, "--comment", "moving")
    assert done.exit_code == 0, done.output
    (silence,) = json.loads(run("silence list", "--json").stdout)
    assert (silence["by"], silence["until"]) == ("carla", until)
    assert "carla" in run("silence list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--match", "kind=drift", "--for", "2h", "--until", "2999-01-01T00:00:00Z"], "one of them"),
        (["--match", "kind=drift"], "say how long"),
        (["--match", "kind=drift", "--for", "soon"], "--for"),
        (["--match", "kind=drift", "--until", "2999-01-01T00:00:00"], "has no offset"),
        (["--match", "kind=drift", "--until", "1999-01-01T00:00:00Z"], "over already"),
        (["--match", "colour=red", "--for", "2h"], "no label 'colour'"),
        (["--match", "model=fruad", "--for", "2h"], "none of the models fraud"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused(store, run, arguments, said):
    done = run("silence add", *arguments, "--comment", "x")
    assert done.exit_code == 2
    assert said in done.output
    assert store.orders() == []


def test_an_order_for_a_store_that_is_not_there_makes_none(run, tmp_path):
    done = run("silence add", "--match", "kind=drift", "--for", "2h", "--comment", "x")
    assert done.exit_code == 4
    assert not (tmp_path / "store.db").exists()


def test_an_incident_that_is_open_can_be_acknowledged(store, run):
    store.checkpoint(Checkpoint(at=1, alerts=[firing(3)]))
    done = run("ack", "fraud", 3, "--comment", "on it", "--by", "bob")
    assert done.exit_code == 0, done.output
    ((number, model, document),) = [(row.number, row.model, json.loads(row.document)) for row in store.orders()]
    assert (number, model) == (1, "fraud")
    assert document == {"order": "acknowledge", "incident": 3, "comment": "on it", "by": "bob"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fraud", 2, "--comment", "x"], "no open incident 2: open: 3"),
        (["churn", 3, "--comment", "x"], "no model 'churn'"),
        (["fraud", 3, "--comment", " "], "--comment is empty"),
    ],
)
def test_an_acknowledgement_of_nothing_is_refused(store, run, arguments, said):
    store.checkpoint(Checkpoint(at=1, alerts=[firing(3)]))
    done = run("ack", *arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert store.orders() == []
