from __future__ import annotations

import itertools

import pytest

from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.loader import load
from anchorwatch.simulate.faults import FaultKind
from anchorwatch.simulate.scenario import FAST, FULL, configuration
from anchorwatch.simulate.traffic import PREDICTIONS


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "fraud.yaml"
    path.write_text(configuration(500, store="s.db", bootstrap_servers="localhost:9092"))
    return load(path, {})


@pytest.mark.parametrize("scenario", [FAST, FULL], ids=["fast", "full"])
def test_a_story_has_each_fault_once_in_order_with_quiet_before_and_room_after(scenario):
    kinds = [fault.kind for fault in scenario.faults]
    places = [scenario.baseline, *(fault.at_event for fault in scenario.faults), scenario.events]
    assert kinds == list(FaultKind)
    assert all(after - before >= 1000 for before, after in itertools.pairwise(places))
    assert scenario.events - scenario.faults[-1].at_event > scenario.baseline


def test_the_configuration_is_valid_and_says_what_was_asked(settings):
    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert settings.store == "s.db"
    assert settings.models["fraud"].baseline.first == 500


def test_without_a_broker_the_configuration_names_none(tmp_path):
    path = tmp_path / "fraud.yaml"
    path.write_text(configuration(500))
    assert load(path, {}).kafka is None


def test_the_configuration_reads_every_field_of_the_traffic(settings):
    model = settings.models["fraud"]
    messages = list(FAST.traffic(1).messages())[:4000]
    topics = {topic: [m for m in messages if m.topic == topic] for topic in (PREDICTIONS, model.labels.topic)}
    records = [
        Records(Partition(topic, 0), range(len(some)), [m.time for m in some], [m.value for m in some])
        for topic, some in topics.items()
    ]
    batch, letters = Decoder("fraud", model).decode(records, [r.partition for r in records], messages[-1].time)
    assert letters == []
    assert [len(batch.predictions), len(batch.labels)] == [len(some) for some in topics.values()]
    assert not batch.predictions.numeric_fault.any()
    assert not batch.predictions.category_fault.any()
    assert batch.predictions.versions == ("1",)
    assert set(batch.labels.ident[:, 0].tolist()) <= set(batch.predictions.ident[:, 0].tolist())
