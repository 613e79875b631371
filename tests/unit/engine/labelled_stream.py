"""A stream of predictions whose labels come late, with a model that may get worse, and a host that takes it."""

import json
from dataclasses import dataclass, field

import numpy as np

from anchorwatch.engine.state import fresh, from_parts, to_parts
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.models import Model

SECOND = 10**9
START = 1_700_000_000
NOW = 2_000_000_000 * SECOND
GAP, DELAY = 10.0, 600.0
PREDICTIONS, LABELS = Partition("p", 0), Partition("l", 0)
OUTPUTS = {
    "binary": {"kind": "binary", "score": "s"},
    "multiclass": {"kind": "multiclass", "class": "c"},
    "probable": {"kind": "multiclass", "probabilities": {"a": "p.a", "b": "p.b", "c": "p.c"}},
    "regression": {"kind": "regression", "value": "v"},
    "ranking": {"kind": "ranking", "items": "top", "k": 5, "relevant": 3},
}


def a_model(kind="binary", metrics=(), *, first=2000, segments=False, size=500, **accuracy):
    """Return a model whose metrics are judged; its other detectors of errors are off."""
    judged = {"metrics": list(metrics) if not isinstance(metrics, dict) else metrics, "sequential": None}
    return Model.model_validate({
        "predictions": {
            "topic": "p", "id": "id", "time": "t", "prediction": OUTPUTS[kind], "dimensions": {"region": "r"},
        },
        "labels": {"topic": "l", "id": "id", "time": "t", "value": "y", "wait": "1d"},
        "segments": ["region"] if segments else [],
        "baseline": {"first": first},
        "windows": {"size": size},
        "monitors": {"accuracy": {**judged, **accuracy}, "drift": {"sequential": None},
                     "prediction": {"sequential": None, "numeric": None, "category": None},
                     "volume": {"enabled": False}, "labels": {"enabled": False}},
    })  # fmt: skip


def answers(kind, rng, quality):
    """Return what the model says and the truth, for each row as good as `quality` (0 to 1)."""
    n = len(quality)
    if kind == "binary":
        p = rng.beta(0.7, 1.4, n)
        truth = rng.random(n) < np.where(rng.random(n) < quality, p, 1.0 / 3.0)
        return [{"s": round(s, 4)} for s in p.tolist()], [int(t) for t in truth]
    if kind == "multiclass":
        truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
        said = np.where(rng.random(n) < quality, truth, rng.integers(0, 3, n))
        return [{"c": "abc"[c]} for c in said.tolist()], ["abc"[c] for c in truth.tolist()]
    if kind == "probable":
        p = rng.dirichlet([0.6] * 3, n)
        drawn = (rng.random(n)[:, None] > p.cumsum(axis=1)[:, :2]).sum(axis=1)
        truth = np.where(rng.random(n) < quality, drawn, rng.integers(0, 3, n))
        said = [{"p": dict(zip("abc", row, strict=True))} for row in p.tolist()]
        return said, ["abc"[c] for c in truth.tolist()]
    if kind == "ranking":
        return rankings(rng, quality)
    truth = rng.gamma(4.0, 2.0, n)
    said = truth + rng.normal(0.0, 1.0, n) / quality
    return [{"v": v} for v in said.tolist()], truth.tolist()


def rankings(rng, quality):
    """Return lists of eight of twenty items, and what of them is wanted: nothing, one item, or two.

    A wanted item stands the further up the better the model is, and nothing is wanted of a worse one's more often.
    """
    said, wanted = [], []
    for q, u, ranks, others in zip(
        quality.tolist(), rng.random(len(quality)).tolist(), rng.random((len(quality), 2)).tolist(),
        rng.permuted(np.tile(np.arange(20), (len(quality), 1)), axis=1).tolist(), strict=True,
    ):  # fmt: skip
        said.append({"top": others[:8]})
        some = [others[int(12 * r ** (4 * q))] for r in ranks]
        wanted.append(([] if u > q else some[0] if u > q / 4 else some) or None)
    return said, wanted


def messages(kind, seed, quality, labelled=0.9):
    """Return the predictions and labels, each [(seconds, body)] in order of time."""
    rng = np.random.default_rng(seed)
    quality = np.asarray(quality, float)
    n = len(quality)
    said, truth = answers(kind, rng, quality)
    at = (np.arange(n) * GAP).tolist()
    region = rng.choice(["north", "south"], n, p=[0.7, 0.3]).tolist()
    rows = [
        (t, {"id": f"p{i}", "t": START + t, "r": region[i], **body})
        for i, (t, body) in enumerate(zip(at, said, strict=True))
    ]
    known = np.flatnonzero(rng.random(n) < labelled)
    come = [(at[i] + d, i) for i, d in zip(known.tolist(), rng.exponential(DELAY, len(known)).tolist(), strict=True)]
    return rows, [(t, {"id": f"p{i}", "t": START + t, "y": truth[i]}) for t, i in sorted(come)]


@dataclass
class Taken:
    """What came of a stream."""

    watch: object
    state: object
    evidence: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    incidents: list = field(default_factory=list)
    baselines: list = field(default_factory=list)

    def of(self, metric, segment=""):
        return [
            e
            for e in self.evidence
            if e.identity.monitor == "non_inferiority" and (e.identity.subject, e.identity.segment) == (metric, segment)
        ]


def take(model, rows, labels, cuts=1, *, restart=False, given=None):
    """Give both streams to a model in pieces by time, and let all partitions be idle in the end."""
    watch, decoder = compile_watch("/a", "m", model, given, "0"), Decoder("m", model)
    taken = Taken(watch, fresh(watch))
    end = max(t for t, _ in (*rows, *labels))
    edges = np.linspace(0, end, cuts + 1)[1:]
    done = {PREDICTIONS: 0, LABELS: 0}
    for edge in edges.tolist():
        parts = []
        for partition, log in ((PREDICTIONS, rows), (LABELS, labels)):
            stop = next((i for i in range(done[partition], len(log)) if log[i][0] > edge), len(log))
            values = [json.dumps(body).encode() for _, body in log[done[partition] : stop]]
            if values:
                places = range(done[partition], stop)
                parts.append(Records(partition, places, [None] * len(values), values))
            done[partition] = stop
        _step(taken, decoder, parts, ())
        if restart:
            taken.state = from_parts(watch, to_parts(watch, taken.state))
    _step(taken, decoder, [], [PREDICTIONS, LABELS])
    return taken


def _step(taken, decoder, parts, idle):
    batch, _ = decoder.decode(parts, [PREDICTIONS, LABELS], NOW, idle)
    taken.state, outcome = step(taken.watch, taken.state, batch)
    taken.evidence += outcome.evidence
    taken.notices += outcome.decision.notices
    taken.incidents += outcome.decision.incidents
    taken.baselines += outcome.baselines
