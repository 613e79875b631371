from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from anchorwatch.settings.describe import homes, settings_of
from anchorwatch.settings.document import read_document
from anchorwatch.settings.explain import scalar, to_yaml
from anchorwatch.settings.loader import load
from anchorwatch.settings.models import Settings
from anchorwatch.settings.reference import reference, schema
from anchorwatch.settings.summary import summarise

CONFIG = Path(__file__).parents[3] / "config"
ENVIRON = {"KAFKA_PASSWORD": "***"}


def explained(settings):
    return to_yaml(settings, "beside", lambda _name: '"***"')


def every_setting(section, path=()):
    for setting in settings_of(section).values():
        yield (*path, setting.name), setting
        if setting.section is not None:
            inner = (*path, setting.name, "*") if setting.many == "map" else (*path, setting.name)
            yield from every_setting(setting.section, inner)


@pytest.mark.parametrize("made", [("reference.yaml", reference), ("schema.json", schema)], ids=lambda made: made[0])
def test_a_generated_file_is_what_the_code_says(made):
    """After a change of the settings, `make config` writes both anew."""
    name, make = made
    assert (CONFIG / name).read_text(encoding="utf-8") == make(), f"config/{name} is old: make config"


@pytest.mark.parametrize("name", ["minimal.yaml", "reference.yaml"])
def test_what_an_operator_copies_loads(name):
    assert list(load(CONFIG / name, ENVIRON).models) == ["fraud"]


def test_the_reference_holds_every_setting_with_its_description():
    text = " ".join(reference().replace("#", " ").split())
    data = read_document(reference(), ENVIRON).data
    for path, setting in every_setting(Settings):
        assert setting.description, path
        assert " ".join(setting.description.split()) in text, path
        node = data
        for key in path:
            node = node[0] if isinstance(node, list) else node
            if node is None:
                break  # a part that is off by default
            node = next(iter(node.values())) if key == "*" else node[key]


@pytest.mark.parametrize("name", ["minimal.yaml", "reference.yaml"])
def test_what_is_explained_means_the_same_as_what_it_explains(name):
    """The settings in effect, written out and read again, are the settings in effect."""
    settings = load(CONFIG / name, ENVIRON)
    assert load(explained(settings), {}) == settings


def test_a_default_is_marked_as_one_and_a_given_value_is_not():
    lines = explained(load(CONFIG / "minimal.yaml", {})).splitlines()
    found = {line.split(":")[0].strip(): line.partition("#")[2].strip() for line in lines}
    assert found["max_segments"].startswith("default; ")
    assert not found["first"].startswith("default")


def test_a_default_that_depends_on_where_it_stands_is_told_rightly():
    """The alert of a schema break is critical by default, whatever else is set of it."""
    text = (CONFIG / "minimal.yaml").read_text(encoding="utf-8")
    more = "    monitors: {schema: {alert: {needs: 1}}, accuracy: {alert: {of: 4}}, latency: {significance: 0.01}}\n"
    monitors = load(text.replace("    retrain:\n", f"{more}    retrain:\n", 1), {}).models["fraud"].monitors
    assert monitors.schema_.alert.severity == "critical"
    assert monitors.accuracy.alert.severity == "critical"
    assert monitors.latency.sequential is None


def test_a_secret_is_never_written_out():
    settings = load(CONFIG / "reference.yaml", {"KAFKA_PASSWORD": "hunter2"})
    assert "hunter2" not in explained(settings)


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_value_written_reads_back_as_it_was(value):
    document = read_document(f"a: {scalar(value)}\nb: [{scalar(value)}]\n", {})
    assert document.problems == []
    assert document.data == {"a": value, "b": [value]}
    assert type(document.data["a"]) is type(value)


def test_the_schema_knows_every_setting_and_the_short_forms():
    made = json.loads(schema())
    model = made["$defs"]["Model"]["properties"]
    assert set(model) == set(
        settings_of(Settings)["models"].section and settings_of(settings_of(Settings)["models"].section)
    )
    features = made["$defs"]["Predictions"]["properties"]["features"]["additionalProperties"]
    assert {"enum": ["numeric", "category"], "type": "string"} in features["anyOf"]
    assert made["$defs"]["Labels"]["properties"]["wait"]["type"] == "string"
    assert made["additionalProperties"] is False


def test_a_setting_is_found_wherever_it_belongs():
    assert list(homes("wait", Settings)) == [("models", "*", "labels", "wait")]
    assert len(list(homes("severity", Settings))) == 11
    assert list(homes("nowhere", Settings)) == []


def test_what_may_be_written_is_said_in_words():
    windows = settings_of(settings_of(settings_of(Settings)["models"].section)["windows"].section)
    assert windows["panes"].form == "a whole number, at least 1 and at most 100"
    assert windows["time"].form == "a duration above 0s"
    assert windows["time"].nullable
    assert settings_of(Settings)["store"].form == "text"


def test_the_summary_names_what_is_read_compared_and_written():
    said = " ".join(summarise(load(CONFIG / "minimal.yaml", {})).split())
    for part in (
        "1 model on Kafka at localhost:9092", "state in anchorwatch.db", "2 numeric and 2 by category",
        "waited for 7d", "also by country", "first 10,000 predictions", "windows of 1,000 events",
        "retraining when accuracy worse", "dead letters to anchorwatch.dead-letters",
    ):  # fmt: skip
        assert part in said


def test_the_summary_says_once_what_two_policies_ask_for():
    settings = load(CONFIG / "minimal.yaml", {}).model_dump(by_alias=True)
    settings["models"]["fraud"]["retrain"] = [{"name": name, "when": "accuracy worse"} for name in ("one", "two")]
    assert summarise(Settings.model_validate(settings)).count("accuracy worse") == 1


def test_yaml_made_here_is_yaml_to_others():
    """The reference is read alike by a plain YAML parser."""
    assert YAML(typ="safe").load(reference())["models"]["fraud"]["labels"]["wait"] == "7d"
