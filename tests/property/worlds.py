"""Small random models with everything that goes wrong in their streams, and hosts that cut the streams at random.

A world is drawn by hypothesis as a handful of choices and a seed; its records come from that seed.
"""

import json
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from anchorwatch.decide.ids import trigger_id
from anchorwatch.engine.runs import Sizes
from anchorwatch.engine.state import fresh, from_parts, to_parts
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.models import Model

START = 1_777_622_400 * 10**9  # 2026-05-01 08:00 UTC
SECOND = 10**9
NOW = START + 10 * 86_400 * SECOND
COUNTRIES = ("CH", "DE", "FR", "IT", "LI")
LONG, SHORT = Sizes(), Sizes(smallest=4, factor=2, largest=16)
"""Runs of the join of few rows, so that a small stream fills, merges and drops many."""
HOSTILE = (
    b"{", b"\xff\xfe", b"[1,2]", b"null", b'{"id": "x"}', b'{"id": 7, "at": "2099-01-01T00:00:00Z"}', None,
    b'{"id": "p7", "at": "1677-09-21T00:12:44Z", "amount": 1, "truth": 1}',
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Choices; `n` predictions, times in seconds."""

    seed: int
    n: int = 400
    kind: str = "binary"
    partitions: tuple[int, int] = (2, 2)
    shared: bool = False
    segments: bool = True
    size: int | None = 20
    time: int | None = None
    panes: int = 1
    lateness: int = 5
    wait: int = 120
    early: int = 20
    labels: bool = True
    versions: bool = True
    coarse: bool = True
    detector: str = "adwin"
    change: bool = True
    first_labels: int | None = None
    first: int = 60
    sample: float = 1.0
    revisions: str = "first"
    runs: Sizes = LONG
    gap: float = 1.0
    season: str | None = None
    answered: bool = False
    extra: dict = field(default_factory=dict, hash=False)

    @property
    def settings(self):
        """The model's configuration."""
        outputs = {
            "binary": {"kind": "binary", "score": "score"},
            "multiclass": {"kind": "multiclass", "class": "class", "score": "score"},
            "probable": {"kind": "multiclass", "probabilities": {each: f"p.{each}" for each in "abc"}},
            "regression": {"kind": "regression", "value": "value"},
            "ranking": {"kind": "ranking", "items": "items", "k": 3, "relevant": 2},
        }
        topic = "events" if self.shared else "predictions"
        watched = {"sequential": self.detector}
        labels = {"labels": self.first_labels} if self.labels and self.first_labels else {}
        document = {
            "predictions": {
                "topic": topic, "id": "id", "time": "at", "version": "version", "latency": "ms",
                "features": {"amount": "numeric", "hour": "numeric", "country": "category"},
                "dimensions": {"shop": "shop"}, "prediction": outputs[self.kind],
            },
            "event_time": {"lateness": f"{self.lateness}s"},
            "segments": ["country", "shop"] if self.segments else [],
            "max_segments": 3,
            "baseline": {"first": self.first, "season": self.season, **labels},
            "windows": {
                "size": self.size, "time": self.time and f"{self.time}s", "panes": self.panes, "min_sample": 10,
            },
            "monitors": {
                "schema": {"run": 8}, "drift": {**watched, "significance": 0.05, "alert": {"repeat": "2m"}},
                "prediction": watched, "accuracy": {**watched, "significance": 0.05, **self._judged()},
                "quality": {"significance": 0.05, "alert": {"needs": 1, "of": 1}},
            },
            "incidents": {"gather": "20s", "repeat": "10s", "escalate": {"after": "1m", "features": 0.75}},
        }  # fmt: skip
        if self.labels:
            document["labels"] = {
                "topic": "events" if self.shared else "labels", "id": "id", "time": "at", "value": "truth",
                "wait": f"{self.wait}s", "early": f"{self.early}s", "sample": self.sample,
                "revisions": self.revisions,
            }  # fmt: skip
            document["retrain"] = {"when": ["accuracy", "drift", "schema"], "min_labels": 5, "cooldown": "1m"}
        if self.labels and self.answered:
            document["retrain"] |= {
                "cooldown": "5s", "acknowledge_within": "9s", "delivery": "at_least_once", "timeout": "30s",
                "quiet_after_version": "7s", "budget": "3 per 90s", "for": "2s",
            }  # fmt: skip
        return Model.model_validate({**document, **self.extra})

    def _judged(self):
        """Return the metrics that are judged, and how long windows mature."""
        judged = {"binary": ["accuracy", "recall"], "multiclass": ["macro_f1"],
                  "probable": ["log_loss", "brier", "macro_f1"], "regression": ["mae"],
                  "ranking": ["ndcg_at_k", "recall_at_k", "click_through_rate"]}  # fmt: skip
        return {"metrics": judged[self.kind] if self.labels else [], "mature": f"{self.wait // 2}s"}

    def watch(self):
        """Return the model's watch."""
        watch = compile_watch("/test", "fraud", self.settings, None, "test", answered=self.answered)
        return replace(watch, terms=watch.terms._replace(sizes=self.runs))

    @property
    def statuses(self):
        """Topic on which retrainings are reported; None where nobody does."""
        return "statuses" if self.answered else None

    def records(self):
        """Return {partition: [payload]}, in the order of the log."""
        rng = np.random.default_rng(self.seed)
        streams = {}
        predictions = self._predictions(rng)
        topic = "events" if self.shared else "predictions"
        _spread(streams, rng, topic, self.partitions[0], predictions)
        if self.labels:
            topic = "events" if self.shared else "labels"
            _spread(streams, rng, topic, self.partitions[1], self._labels(rng, predictions))
        if self.answered:
            _spread(streams, rng, "statuses", 2, self._reports(rng))
        return {partition: _logged(rng, rows, self.lateness) for partition, rows in streams.items()}

    def _reports(self, rng):
        """Answer triggers that may come, in any order, some twice, some of which nobody knows."""
        out = []
        for at in np.sort(rng.uniform(0.3 * self.n, 1.1 * self.n, 25)).tolist():
            ident = trigger_id("/test", "fraud", "default", int(rng.integers(1, 5)))
            progress = str(rng.choice(["acknowledged", "running", "succeeded", "succeeded", "failed", "cancelled"]))
            version = {"version": str(rng.choice(["1", "2", "3"]))} if rng.random() < 0.7 else {}
            body = {"id": ident, "status": progress, "time": _at(at), "by": f"{progress}'s job", **version}
            out += [(at, body)] * int(rng.integers(1, 3))
        return out

    def _predictions(self, rng):
        times = np.cumsum(rng.exponential(self.gap, self.n))
        times = np.round(times * 2) / 2 if self.coarse else times
        out = []
        for i, at in enumerate(times.tolist()):
            changed = self.change and 0.55 * self.n < i < 0.8 * self.n
            body = {
                "id": f"p{i}", "at": _at(at), "version": self._version(rng, i), "ms": float(rng.lognormal()),
                "amount": float(rng.normal(2.0 if changed else 0.0)), "hour": int(rng.integers(0, 24)),
                "country": COUNTRIES[int(rng.integers(0, 5 if changed else 3))],
                "shop": f"s{int(rng.integers(0, 6)) ** 2 // 4}",
                "score": float(rng.random()), "class": "abc"[int(rng.integers(0, 3))], "value": float(rng.normal()),
            }  # fmt: skip
            if self.kind == "ranking":
                body["items"] = rng.permutation(8)[: int(rng.choice([0, 2, 5], p=[0.03, 0.17, 0.8]))].tolist()
            if self.kind == "probable":
                p = rng.dirichlet([0.5] * 3)
                broken = [p, p / 2, [None, *p[1:]], [*p[:2], "0.3"]][int(rng.choice(4, p=[0.94, 0.02, 0.02, 0.02]))]
                body |= {"class": "abc"[int(p.argmax())], "p": dict(zip("abc", list(broken), strict=True))}
            if rng.random() < 0.03 or (self.change and 0.45 * self.n < i < 0.5 * self.n):
                body["amount"] = (None, "12", "NaN", [1])[int(rng.integers(0, 4))]
            if rng.random() < 0.03:
                del body[str(rng.choice(["hour", "country", "shop", "score", "class", "value"]))]
            out.append((at, body))
            if rng.random() < 0.05:
                again = at + float(rng.choice([0.0, 3.0, self.wait * 0.9, self.wait * 1.3, self.wait * 2.5]))
                out.append((again, {**body, "at": _at(again), "score": float(rng.random())}))
        return out

    def _version(self, rng, i):
        if not self.versions:
            return "1"
        share = 0.05 if i < self.n // 2 else 1.0 if i < 0.8 * self.n else 0.5
        return "2" if rng.random() < share else "1"

    def _labels(self, rng, predictions):
        out = []
        for at, body in predictions:
            for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.1, 0.75, 0.1, 0.05]))):
                delay = float(rng.exponential(self.wait / 6))
                if rng.random() < 0.15:
                    delay = float(rng.choice([-0.5, -1.0, -2.0])) * self.early
                if rng.random() < 0.05:
                    delay = self.wait * float(rng.choice([1.0, 1.05, 1.5, 3.0]))
                truth = self._truth(rng, body, wrong=at > 0.6 * self.n and self.change)
                out.append((at + delay, {"id": body["id"], "at": _at(at + delay), "truth": truth}))
        orphans = [(float(at), f"o{i}") for i, at in enumerate(rng.uniform(0, self.n, self.n // 20))]
        return out + [(at, {"id": name, "at": _at(at), "truth": 1}) for at, name in orphans]

    def _truth(self, rng, body, *, wrong):
        error = rng.random() < (0.5 if wrong else 0.1)
        if self.kind == "regression":
            return float(body.get("value", 0.0) + rng.normal(0, 3.0 if error else 0.3))
        if self.kind == "ranking":
            items = body["items"][-1:] if error else body["items"][:2]
            return (items[:1] or None, items, items[::-1], [1, 2, 3], [])[
                int(rng.choice(5, p=[0.4, 0.3, 0.1, 0.05, 0.15]))
            ]
        if self.kind in {"multiclass", "probable"}:
            return "abc"[int(rng.integers(0, 3))] if error else body.get("class", "a")
        return int((body.get("score", 0.0) >= 0.5) != error)


def _at(seconds):
    return START // SECOND + seconds


def _spread(streams, rng, topic, partitions, rows):
    for number in range(partitions):
        streams.setdefault(Partition(topic, number), [])
    for row in rows:
        streams[Partition(topic, int(rng.integers(0, partitions)))].append(row)


def _logged(rng, rows, lateness):
    """Put rows into a log: nearly in order of time, some late, some hopelessly late, with rubbish in between."""
    delay = rng.uniform(0, 0.8 * lateness + 1e-9, len(rows)) + np.where(rng.random(len(rows)) < 0.03, 5 * lateness, 0)
    order = np.argsort([at + more for (at, _), more in zip(rows, delay, strict=True)], kind="stable")
    out = []
    for i in order.tolist():
        if rng.random() < 0.02:
            out.append(HOSTILE[int(rng.integers(0, len(HOSTILE)))])
        out.append(json.dumps(rows[i][1]).encode())
    return out


@dataclass
class Told:
    """All that came of a run, comparable bit for bit."""

    evidence: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    incidents: list = field(default_factory=list)
    triggers: list = field(default_factory=list)
    decided: list = field(default_factory=list)
    again: list = field(default_factory=list)
    reported: list = field(default_factory=list)
    stages: list = field(default_factory=list)
    baselines: list = field(default_factory=list)
    letters: int = 0

    def add(self, outcome, letters):
        self.evidence += map(repr, outcome.evidence)
        self.notices += map(repr, outcome.decision.notices)
        self.incidents += map(repr, outcome.decision.incidents)
        self.triggers += map(repr, outcome.decision.triggers)
        self.decided += map(repr, outcome.decision.decided)
        self.again += map(repr, outcome.decision.again)
        self.reported += map(repr, outcome.decision.reported)
        self.stages += map(repr, outcome.decision.stages)
        self.baselines += [baseline.to_json() for baseline in outcome.baselines]
        self.letters += len(letters)


class Run:
    """A model on its way through its streams, in the hands of a host that may be restarted at any time."""

    def __init__(self, world, records=None):
        self.watch = world.watch()
        self.decoder = Decoder("fraud", world.settings, world.statuses)
        self.logs = world.records() if records is None else records
        self.place = dict.fromkeys(self.logs, 0)
        self.state = fresh(self.watch)
        self.told = Told()
        self.store = to_parts(self.watch, self.state)
        self.saved = self.state

    @property
    def rest(self):
        return {p: len(log) - self.place[p] for p, log in self.logs.items() if self.place[p] < len(log)}

    def take(self, amounts, idle=()):
        """Take so many records of each partition, in the order given."""
        parts = []
        for partition, amount in amounts:
            start = self.place[partition]
            values = self.logs[partition][start : start + amount]
            self.place[partition] += len(values)
            if values:
                stamps = [None] * len(values)
                parts.append(Records(partition, range(start, start + len(values)), stamps, values))
        batch, letters = self.decoder.decode(parts, sorted(self.logs), NOW, idle, set(self.logs) - set(self.rest))
        self.state, outcome = step(self.watch, self.state, batch)
        self.told.add(outcome, letters)

    def take_all(self):
        self.take([(p, n) for p, n in self.rest.items()])
        return self.end()

    def take_cut(self, rng, *, restarts=0.0, eager=False, largest=200):
        """Take everything in random pieces; `eager` marks each partition idle as soon as it ends."""
        while self.rest:
            ended = [p for p in self.logs if p not in self.rest] if eager else []
            chosen = [p for p in sorted(self.rest) if rng.random() < 0.6]
            rng.shuffle(chosen)
            most = int(rng.choice([1, 5, 40, largest]))
            self.take([(p, int(rng.integers(0, most + 1))) for p in chosen], ended)
            if rng.random() < restarts:
                self.checkpoint()
                self.state = self.saved = from_parts(self.watch, self.store)
        return self.end()

    def checkpoint(self):
        """Write what changed over what is stored, as a store does."""
        for name, data in to_parts(self.watch, self.state, self.saved).items():
            if data is None:
                del self.store[name]
            else:
                self.store[name] = data
        self.saved = self.state

    def end(self):
        self.take([], sorted(self.logs))
        self.take([], sorted(self.logs))
        return self

    def parts(self):
        return to_parts(self.watch, self.state)


@st.composite
def worlds(draw):
    size, time = draw(st.sampled_from([(20, None), (None, 25), (20, 30), (30, 12)]))
    return World(
        seed=draw(st.integers(0, 2**32 - 1)),
        n=draw(st.sampled_from([120, 250, 400, 600])),
        kind=draw(st.sampled_from(["binary", "multiclass", "probable", "regression", "ranking"])),
        partitions=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        shared=draw(st.booleans()),
        segments=draw(st.booleans()),
        size=size,
        time=time,
        panes=draw(st.integers(1, 3)),
        lateness=draw(st.sampled_from([0, 5, 30])),
        wait=draw(st.sampled_from([8, 40, 120])),
        early=draw(st.sampled_from([0, 4, 20])),
        labels=draw(st.sampled_from([True, True, True, False])),
        versions=draw(st.booleans()),
        coarse=draw(st.booleans()),
        detector=draw(st.sampled_from(["adwin", "page_hinkley", "hddm_w", "hddm_a"])),
        first_labels=draw(st.sampled_from([None, 30, 90])),
        answered=draw(st.booleans()),
        sample=draw(st.sampled_from([1.0, 1.0, 0.6])),
        revisions=draw(st.sampled_from(["first", "latest"])),
        runs=draw(st.sampled_from([SHORT, LONG])),
    )
