import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import typer
from tests.unit.engine.labelled_stream import a_model, messages, take
from typer.testing import CliRunner

from anchorwatch.cli.status import describe, status
from anchorwatch.clock import SystemClock
from anchorwatch.decide.decision import Decisions
from anchorwatch.decide.retrain import Held, RetrainReason, RetrainState
from anchorwatch.decide.retraining import Progress, Retraining
from anchorwatch.engine.state import fresh, to_parts
from anchorwatch.engine.watch import compile_watch
from anchorwatch.errors import StoreError, UsageError
from anchorwatch.settings.models import Model
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store

APP = typer.Typer()
APP.command()(status)
SECOND = 10**9


def run(*arguments):
    return CliRunner().invoke(APP, [str(a) for a in arguments])


def test_the_report_says_how_far_the_store_has_come(store, rows):
    store.checkpoint(rows.checkpoint(1))
    store.checkpoint(
        Checkpoint(
            at=20 * SECOND,
            parts={"churn": {"a": b"123", "b": b"45"}},
            alerts=[rows.alert(7, fingerprint="g", status="pending"), rows.alert(8, fingerprint="h", model="churn")],
        )
    )
    store.heartbeat(25 * SECOND)
    report = describe(store, 30 * SECOND)
    assert report["age_seconds"] == 5
    assert report["checkpoint"] == {"number": 2, "at": "1970-01-01T00:00:20+00:00"}
    assert report["heartbeat"] == "1970-01-01T00:00:25+00:00"
    assert report["outbox"] == 1
    assert {"topic": "predictions", "partition": 0, "offset": 100} in report["positions"]
    churn, fraud = report["models"]
    assert churn == {
        "model": "churn", "state_parts": 2, "state_bytes": 5, "accounting": {}, "accuracy": [], "incidents": [],
        "firing": 1, "pending": 0, "baselines": 0, "last_trigger": None, "retrainings": [], "silenced": 0,
        "silences": [], "acknowledged": [], "comparisons": [], "held_back": [],
    }  # fmt: skip
    assert (fraud["firing"], fraud["pending"], fraud["baselines"], fraud["state_parts"]) == (1, 1, 1, 3)
    assert fraud["last_trigger"]["id"] == "trigger-1"


def test_the_report_tells_what_became_of_each_retraining(store, rows):
    predictions = {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "s"}}
    model = Model.model_validate({"predictions": predictions, "baseline": {"first": 10}})
    watch = compile_watch("/here", "fraud", model, None, "1")
    asked = Retraining("t-1", "key-1", "p1", 3, "14", "bl-1", requested_at=SECOND, changed_at=SECOND, published_at=0)
    done = msgspec.structs.replace(asked, id="t-2", progress=Progress.SUCCEEDED, becomes="15", changed_at=9 * SECOND)
    state = replace(fresh(watch), decisions=Decisions(retrainings=(asked, done)))
    stages = [rows.stage(2, trigger="t-2"), rows.stage(3, trigger="t-2", status="succeeded", version="15", by="")]
    store.checkpoint(Checkpoint(at=1, parts={"fraud": to_parts(watch, state)}, stages=stages))
    newest, oldest = describe(store, 2)["models"][0]["retrainings"]
    assert newest == {
        "id": "t-2", "idempotency_key": "key-1", "policy": "p1", "incident": 3, "version": "14",
        "requested": "1970-01-01T00:00:01+00:00", "status": "succeeded", "since": "1970-01-01T00:00:09+00:00",
        "new_version": "15", "took_over": None,
        "history": [
            {"status": "running", "at": "1970-01-01T00:00:00+00:00", "version": None, "by": "argo"},
            {"status": "succeeded", "at": "1970-01-01T00:00:00+00:00", "version": "15", "by": None},
        ],
    }  # fmt: skip
    assert (oldest["id"], oldest["status"], oldest["new_version"]) == ("t-1", "requested", None)
    assert oldest["history"] == []
    shown = run("--store", store.path).output
    assert "key-1: succeeded since 1970-01-01T00:00:09+00:00, version 15, awaited" in " ".join(shown.split())


def test_the_report_says_which_triggers_are_held_back_and_why(store):
    predictions = {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "s"}}
    model = Model.model_validate({"predictions": predictions, "baseline": {"first": 10}})
    watch = compile_watch("/here", "fraud", model, None, "1")
    policy = RetrainState(held=(Held(3, 1200, RetrainReason.RECOVERS_TOO_LITTLE),))
    state = replace(fresh(watch), decisions=Decisions(retrain={"p1": policy, "p2": RetrainState()}))
    store.checkpoint(Checkpoint(at=1, parts={"fraud": to_parts(watch, state)}))
    (held,) = describe(store, 2)["models"][0]["held_back"]
    assert held == {"policy": "p1", "incident": 3, "reason": "recovers_too_little", "labelled": 1200}
    shown = " ".join(run("--store", store.path).output.split())
    assert "held back: recovers_too_little, from 1,200 labels since the change (policy p1, incident 3)" in shown


def test_the_report_lists_open_incidents_with_the_alerts_that_fire_now_the_worst_first(store, rows):
    """Ranked as they were last told; one that resolved since is gone, one that joined since comes last."""

    def document(**data):
        return json.dumps({"data": {"startsAt": "then", "annotations": {"summary": "what"}} | data}).encode()

    told = [{"fingerprint": name} for name in ("worst", "gone", "mild")]
    shown = {name: document(annotations={"summary": f"{name} is bad"}) for name in ("mild", "worst", "gone", "newer")}
    store.checkpoint(
        Checkpoint(
            at=1,
            alerts=[
                *(rows.alert(k, fingerprint=name, incident=2, document=shown[name]) for k, name in enumerate(shown)),
                rows.alert(8, fingerprint="gone", status="resolved", incident=2),
            ],
            incidents=[
                rows.incident(1, status="opened", incident=1, document=document(children=[])),
                rows.incident(2, status="resolved", incident=1, document=document(children=[])),
                rows.incident(3, incident=2, document=document(children=told, features=[1], segments=[2])),
            ],
        )
    )
    (fraud,) = describe(store, 2)["models"]
    (incident,) = fraud["incidents"]
    children = incident.pop("children")
    assert incident == {
        "incident": 2, "version": "1", "severity": "critical", "opened_at": "then", "summary": "what",
        "features": [1], "segments": [2],
    }  # fmt: skip
    assert [child["fingerprint"] for child in children] == ["worst", "mild", "newer"]
    said = run("--store", store.path).stdout.splitlines()[-4:]
    assert said == [
        "incident 2 (critical, 3 firing): what",
        "  - worst is bad",
        "  - mild is bad",
        "  - newer is bad",
    ]


def test_the_report_accounts_for_every_record_of_a_model(store):
    predictions = {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "s"}}
    model = Model.model_validate({"predictions": predictions, "baseline": {"first": 10}})
    watch = compile_watch("/here", "fraud", model, None, "1")
    state = fresh(watch)
    state.count("predictions", 12)
    state.count("dead_not_json", 3)
    store.checkpoint(Checkpoint(at=1, parts={"fraud": to_parts(watch, state)}))
    (fraud,) = describe(store, 2)["models"]
    assert fraud["accounting"] == state.accounting()
    assert (fraud["accounting"]["predictions"], fraud["accounting"]["pending_predictions"]) == (12, 0)
    shown = " ".join(run("--store", store.path).stdout.split())
    assert "records of fraud 12 predictions, 0 labels, 0 matched, 3 dead" in shown


def test_the_report_shows_the_newest_mature_accuracy_with_its_interval_coverage_and_what_matures(store):
    taken = take(a_model("binary", ["roc_auc"]), *messages("binary", 5, np.full(5000, 0.8)))
    store.checkpoint(Checkpoint(at=1, parts={"fraud": to_parts(taken.watch, taken.state)}))
    (fraud,) = describe(store, 2)["models"]
    (figures,) = fraud["accuracy"]
    newest = taken.of("roc_auc")[-1].verdict
    assert figures["metrics"]["roc_auc"] == {
        "value": newest.statistic, "low": newest.low, "high": newest.high, "n": newest.n,
    }  # fmt: skip
    assert figures["coverage"] == newest.coverage
    assert figures["maturing"]["predictions"] > figures["maturing"]["labelled"] > 0
    shown = " ".join(run("--store", store.path).stdout.split())
    assert f"roc_auc │ {newest.statistic:.4g} │ {newest.low:.4g} to {newest.high:.4g} │ {newest.n:,}" in shown
    assert f"{figures['labelled']:,} of {figures['predictions']:,} labelled ({100 * newest.coverage:.1f} %)" in shown
    waits = figures["maturing"]
    assert f"maturing: {waits['predictions']:,} predictions, {waits['labelled']:,} labelled" in shown


def test_a_heartbeat_keeps_a_quiet_daemon_alive(store):
    assert describe(store, 100 * SECOND)["age_seconds"] == pytest.approx(100)
    store.heartbeat(99 * SECOND)
    assert describe(store, 100 * SECOND)["age_seconds"] == 1


def test_status_works_beside_the_daemon_and_writes_one_json_object(store, rows):
    store.checkpoint(rows.checkpoint(1))
    done = run("--store", store.path, "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["store"]["id"] == store.id
    assert report["holder"]["name"] == "a test"
    assert [model["model"] for model in report["models"]] == ["fraud"]


def test_status_for_people_names_models_as_they_are(store):
    store.checkpoint(Checkpoint(at=1, parts={"[red]fraud": {"a": b"1"}}))
    done = run("--store", store.path)
    assert done.exit_code == 0
    assert "[red]fraud" in done.stdout


def test_max_age_exits_1_when_the_last_sign_of_life_is_older(path):
    now = SystemClock().now()
    Store.open(path, holder="a test", now=now - 3600 * SECOND).close()
    assert run("--store", path, "--max-age", "2h").exit_code == 0
    late = run("--store", path, "--max-age", "59m", "--json")
    assert late.exit_code == 1
    assert "no sign of life for 36" in late.stderr
    assert json.loads(late.stdout)["age_seconds"] == pytest.approx(3600, abs=60)


def test_a_store_that_is_not_there_is_an_error_of_exit_code_4(path):
    done = run("--store", path)
    assert isinstance(done.exception, StoreError)
    assert done.exception.exit_code == 4
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["a.yaml", "--store", "b.db"], "not both"), (["--store", "b.db", "--max-age", "soon"], "--max-age: 'soon'")],
)
def test_a_wrong_command_line_is_an_error_of_exit_code_2(arguments, said):
    done = run(*arguments)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
