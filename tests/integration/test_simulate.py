"""The command `anchorwatch simulate` against a real broker."""

import json
import signal
import subprocess
import sys
import time

START = (sys.executable, "-c", "from anchorwatch.cli.main import main; main()", "simulate")


def test_the_command_writes_as_many_predictions_as_asked_and_their_labels(bootstrap, read_all):
    command = [*START, "--bootstrap-servers", bootstrap, "--rate", "500", "--events", "400", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    everything = [json.loads(record.value) for record in read_all("fraud.predictions")]
    run = everything[-1]["request_id"].rsplit("-", 1)[0]  # a named broker may hold other runs
    predictions = [event for event in everything if event["request_id"].startswith(run)]
    found = [json.loads(record.value) for record in read_all("fraud.labels")]
    labels = [label for label in found if label["request_id"].startswith(run)]
    assert len(predictions) == 400
    assert 320 < len(labels) < 400
    assert {label["request_id"] for label in labels} < {event["request_id"] for event in predictions}
    assert f"{400 + len(labels)} messages" in done.stderr


def test_the_command_ends_soon_and_well_when_told_to(bootstrap):
    command = [*START, "--bootstrap-servers", bootstrap, "--rate", "50"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert "predictions a second" in running.stderr.readline()
        running.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert running.wait(10) == 0
        assert time.monotonic() - asked < 5
        assert "messages written" in running.stderr.read()
    finally:
        running.kill()
        running.stderr.close()


def test_without_a_broker_the_command_ends_with_the_code_for_it():
    command = [*START, "--bootstrap-servers", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
