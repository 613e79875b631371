from anchorwatch.engine.state import fresh
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.models import Model

NOW = 2_000_000_000 * 10**9
PREDICTIONS, LABELS = Partition("p", 0), Partition("l", 0)


def test_a_label_that_comes_late_to_a_stream_that_has_gone_quiet_is_joined_at_once():
    model = Model.model_validate(
        {
            "predictions": {"topic": "p", "id": "id", "time": "t", "prediction": {"kind": "binary", "score": "s"}},
            "labels": {"topic": "l", "id": "id", "time": "t", "value": "y"},
            "baseline": {"first": 100},
        }
    )
    watch, decoder = compile_watch("/a", "m", model, None, "0"), Decoder("m", model)
    state = fresh(watch)
    everything = [PREDICTIONS, LABELS]
    for partition, value in (
        (PREDICTIONS, b'{"id": "a", "t": 1700000000, "s": 0.2}'),
        (PREDICTIONS, b'{"id": "b", "t": 1700000900, "s": 0.2}'),
        (LABELS, b'{"id": "a", "t": 1700000030, "y": 0}'),
    ):
        batch, _ = decoder.decode([Records(partition, [0], [None], [value])], everything, NOW, everything)
        state, _ = step(watch, state, batch)
    assert state.accounting()["retimed_labels"] == 1
    assert state.accounting()["matched"] == 1
