"""What the image and the composition promise, held against their text: no container engine is needed."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from ruamel.yaml import YAML

from anchorwatch.settings.loader import load
from anchorwatch.simulate.produce import live_traffic

STORE = "/var/lib/anchorwatch/anchorwatch.db"


@pytest.fixture(scope="module")
def dockerfile(root):
    """Return the instructions of the Dockerfile in order, as (name, arguments)."""
    return instructions((root / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def final_stage(dockerfile):
    starts = [number for number, (name, _) in enumerate(dockerfile) if name == "FROM"]
    assert len(starts) == 2, "one stage to build, one to ship"
    return dockerfile[starts[-1] :]


@pytest.fixture(scope="module")
def services(root):
    composition = YAML(typ="safe").load((root / "compose.yaml").read_text(encoding="utf-8"))
    assert {"kafka", "topics", "anchorwatch", "simulator"} == composition["services"].keys()
    return composition["services"]


@pytest.fixture(scope="module")
def composed(root):
    """Return the settings that the composed daemon runs with; loading them is a test of its own."""
    return load(root / "config/fraud.yaml", {})


@pytest.fixture(scope="module")
def version(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def instructions(text):
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [tuple(line.split(None, 1)) for line in joined.split("\n") if line.strip()]


def only(found):
    (one,) = found
    return one


def arguments(stage, name):
    return [rest for instruction, rest in stage if instruction == name]


def tag(image):
    return image.rpartition(":")[2] if ":" in image else "latest"


def test_the_image_runs_as_a_numbered_user_that_is_not_root(final_stage):
    user = only(arguments(final_stage, "USER"))
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    names = [name for name, _ in final_stage]
    assert "RUN" not in names[names.index("USER") :]


def test_the_image_is_healthy_while_the_store_is_fresh(final_stage):
    check = only(arguments(final_stage, "HEALTHCHECK"))
    assert json.loads(check[check.index("[") :]) == ["anchorwatch", "status", "--store", STORE, "--max-age", "60s"]


def test_the_image_keeps_what_it_writes_on_a_volume(final_stage):
    assert only(arguments(final_stage, "VOLUME")) == only(arguments(final_stage, "WORKDIR")) == "/var/lib/anchorwatch"


def test_the_image_starts_the_daemon_itself_so_that_signals_reach_it(final_stage):
    """The form in brackets: a shell in between would not pass SIGTERM on."""
    assert json.loads(only(arguments(final_stage, "ENTRYPOINT"))) == ["anchorwatch"]
    assert json.loads(only(arguments(final_stage, "CMD"))) == ["run", "/etc/anchorwatch/anchorwatch.yaml"]


def test_the_image_takes_every_package_from_the_lock_by_hash(dockerfile):
    installs = [part for run in arguments(dockerfile, "RUN") for part in run.split("&&") if "uv pip install" in part]
    assert installs
    assert all("--require-hashes" in part or "--no-deps /dist/" in part for part in installs)


def test_the_project_is_a_layer_of_its_own_above_what_it_depends_on(dockerfile, final_stage):
    """So a release in which only the project changed leaves the large layer as it is."""
    copies = [line.split() for line in arguments(final_stage, "COPY")]
    assert copies == [["--from=build", place, "/opt/anchorwatch"] for place in ("/opt/anchorwatch", "/app")]
    runs = [line for line in arguments(dockerfile, "RUN") if "/dist/" in line or " warm" in line]
    assert all("--prefix /app" in line or "/app/bin/anchorwatch warm" in line for line in runs)


def test_what_the_image_keeps_compiled_is_for_the_processor_it_runs_as(dockerfile, final_stage):
    """Numba compiles anew for another name, in a folder that cannot be written."""
    warm = only([line for line in arguments(dockerfile, "RUN") if line.endswith(" warm")])
    name = re.search(r"NUMBA_CPU_NAME=\S+", warm)[0]
    assert name in " ".join(arguments(final_stage, "ENV")).split()


def test_the_image_names_the_version_it_holds(final_stage, version):
    assert f'org.opencontainers.image.version="{version}"' in " ".join(arguments(final_stage, "LABEL"))


def test_every_image_is_named_by_a_version(dockerfile, services):
    base = only(arguments(dockerfile, "ARG"))
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-\w+", base)
    assert {image.split(" ")[0] for image in arguments(dockerfile, "FROM")} == {"python:${PYTHON}"}
    assert [name for name, service in services.items() if tag(service["image"]) == "latest"] == []


def test_the_image_is_built_from_nothing_that_the_build_leaves_out(root, dockerfile):
    kept = {line[1:] for line in (root / ".dockerignore").read_text(encoding="utf-8").split("\n") if line[:1] == "!"}
    copies = [line.split() for line in arguments(dockerfile, "COPY") if not line.startswith("--from")]
    assert {source for *sources, _ in copies for source in sources} == kept


def test_the_composed_daemon_can_write_to_its_volume_only(services):
    for name in ("anchorwatch", "simulator"):
        assert services[name]["read_only"] is True
        assert len(services[name]["tmpfs"]) == 1
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
    assert "anchorwatch:/var/lib/anchorwatch" in services["anchorwatch"]["volumes"]


def test_the_composed_image_is_named_by_the_project_version(services, version):
    assert tag(services["anchorwatch"]["image"]) == version


def test_the_composed_image_is_built_by_one_service_and_never_fetched_by_the_other(services):
    """Two services that build one name at the same time fail where it is not there yet."""
    sharing = {name: service for name, service in services.items() if service["image"].startswith("anchorwatch:")}
    assert [name for name, service in sharing.items() if "build" in service] == ["anchorwatch"]
    assert [name for name, service in sharing.items() if service.get("pull_policy") == "never"] == ["simulator"]


def test_nothing_of_the_composition_starts_before_what_it_needs(services):
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert "healthcheck" in services["kafka"]
    for name in ("anchorwatch", "simulator"):
        assert services[name]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_the_composition_creates_every_topic_that_its_configuration_names(composed, services):
    named = {composed.outputs.alerts, composed.outputs.retrain, composed.outputs.dead_letters}
    named |= {stream.topic for model in composed.models.values() for stream in (model.predictions, model.labels)}
    created = re.search(r"for topic in ([^;]+);", services["topics"]["command"][0])[1].split()
    assert sorted(created) == sorted(named)


def test_the_composed_daemon_finds_broker_and_store_where_the_composition_has_them(composed, services):
    assert composed.store == STORE
    listeners = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INSIDE://{composed.kafka.bootstrap_servers}," in listeners
    assert composed.kafka.bootstrap_servers in services["simulator"]["command"]


def test_the_composed_configuration_names_topics_and_fields_that_the_simulator_writes(composed):
    fields = {}
    for message in live_traffic(seed=1, rate=10.0, start=0, events=500).messages():
        fields.setdefault(message.topic, set(json.loads(message.value)))
    fraud = composed.models["fraud"]
    predictions, labels = fraud.predictions, fraud.labels
    named = {predictions.id, predictions.time, predictions.version, predictions.latency, predictions.prediction.score}
    assert fields == {
        predictions.topic: named | predictions.features.keys(),
        labels.topic: {labels.id, labels.value, "ts"},
    }


@pytest.mark.parametrize(
    ("image", "expected"), [("apache/kafka:4.1.1", "4.1.1"), ("apache/kafka", "latest"), ("a:latest", "latest")]
)
def test_the_tag_of_an_image_is_latest_where_none_is_named(image, expected):
    assert tag(image) == expected


def test_instructions_are_read_over_continued_lines_and_comments():
    text = "# comment\nFROM a AS b\nRUN c \\\n    && d\n"
    assert instructions(text) == [("FROM", "a AS b"), ("RUN", "c  && d")]
