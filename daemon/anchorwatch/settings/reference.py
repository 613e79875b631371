"""The reference of all settings and the schema for editors, made from the types.

`python -m anchorwatch.settings.reference [FOLDER]` writes both, into config/ unless another folder is named.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from anchorwatch.settings.explain import to_yaml
from anchorwatch.settings.loader import load
from anchorwatch.settings.models import Settings

_HEAD = """\
# yaml-language-server: $schema=schema.json
#
# Every setting of anchorwatch: what it means, what may be written, its default. This file loads as it stands, but no
# real configuration needs as much: begin with minimal.yaml, add what you want to change, and leave out the rest.
#
# A duration is a number with its unit: 500ms, 30s, 5m, 12h, 7d. ${NAME} in a text stands for the environment variable
# NAME, $${ for a plain ${. A monitor is switched off with `enabled: false`, a single test of it with `null`.
# Made by `make config` from daemon/anchorwatch/settings; changed there.

"""

_EXAMPLE = """\
kafka:
  bootstrap_servers: kafka-1.example.org:9093,kafka-2.example.org:9093
  security_protocol: SASL_SSL
  tls: {ca_file: /etc/anchorwatch/ca.pem}
  sasl: {mechanism: SCRAM-SHA-512, username: anchorwatch, password: "***"}
models:
  fraud:
    predictions:
      topic: fraud.predictions
      id: request_id
      time: ts
      version: model.version
      latency: latency_ms
      features:
        amount: numeric
        country: {kind: category, path: customer.country}
      dimensions: {channel: request.channel}
      prediction: {kind: binary, score: p_fraud, threshold: 0.5}
      where: {environment: production}
    labels: {topic: fraud.labels, id: request_id, value: is_fraud}
    segments: [country, channel]
    baseline: {first: 10000}
    monitors: {accuracy: {metrics: {roc_auc: {margin: 0.02}}}}
    compare: {champion: "1", challenger: "2"}
    retrain: {when: [accuracy worse, drift]}
"""


def reference() -> str:
    """Return every setting with its meaning, as YAML that loads when KAFKA_PASSWORD is set."""
    body = to_yaml(load(_EXAMPLE, {}), "above", lambda name: f'"${{KAFKA_{name.upper()}}}"')
    return f"{_HEAD}{body.rstrip()}\n"


def schema() -> str:
    """Return the JSON schema of a configuration, for completion and checks in editors."""
    made = Settings.model_json_schema(by_alias=True, mode="validation")
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "Configuration of anchorwatch",
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Write reference.yaml and schema.json into a folder."""
    (folder / "reference.yaml").write_text(reference(), encoding="utf-8")
    (folder / "schema.json").write_text(schema(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "config"))
