"""`anchorwatch warm` compiles all there is, once."""

import pytest

from anchorwatch.cli.main import main
from anchorwatch_detectors import registry


def test_warm_names_every_detector_and_the_learners_and_where_all_is_kept(capsys):
    with pytest.raises(SystemExit) as left:
        main(["warm"])
    said = capsys.readouterr().out
    assert left.value.code == 0
    assert [line for line in said.splitlines() if line.startswith("compiled ")] == [
        *(f"compiled {name}" for name in registry.names("sequential")),
        "compiled what estimates a retraining",
    ]
    assert "kept in " in said
