from __future__ import annotations

import dataclasses

from anchorwatch.events.columns import DeadLetter
from anchorwatch.events.deadletters import LARGEST, message
from anchorwatch.events.reasons import Reason

LETTER = DeadLetter("fraud", "p", 3, 17, Reason.NOT_JSON, "größer", b"k", b"\xff{")


def test_a_dead_letter_leaves_with_its_original_bytes_and_its_story_in_headers():
    out = message(LETTER, "/anchorwatch", "dead")
    assert (out.topic, out.key, out.value) == ("dead", b"k", b"\xff{")
    assert dict(out.headers) == {
        "anchorwatch-model": b"fraud",
        "anchorwatch-topic": b"p",
        "anchorwatch-partition": b"3",
        "anchorwatch-offset": b"17",
        "anchorwatch-reason": b"not_json",
        "anchorwatch-detail": "größer".encode(),
    }


def test_the_same_record_gives_the_same_id_and_another_place_another_one():
    first = message(LETTER, "/anchorwatch", "dead").id
    assert message(dataclasses.replace(LETTER, detail="other words"), "/anchorwatch", "dead").id == first
    others = [
        message(LETTER, "/other", "dead").id,
        message(dataclasses.replace(LETTER, model="churn"), "/anchorwatch", "dead").id,
        message(dataclasses.replace(LETTER, topic="q"), "/anchorwatch", "dead").id,
        message(dataclasses.replace(LETTER, partition=4), "/anchorwatch", "dead").id,
        message(dataclasses.replace(LETTER, offset=18), "/anchorwatch", "dead").id,
    ]
    assert len({first, *others}) == 6


def test_bars_in_names_cannot_make_two_places_one():
    a = dataclasses.replace(LETTER, model="a|b", topic="c")
    b = dataclasses.replace(LETTER, model="a", topic="b|c")
    assert message(a, "/x", "dead").id != message(b, "/x", "dead").id


def test_a_payload_too_large_for_a_broker_is_cut_and_says_so():
    out = message(dataclasses.replace(LETTER, value=b"x" * (LARGEST + 1)), "/anchorwatch", "dead")
    assert len(out.value) == LARGEST
    assert dict(out.headers)["anchorwatch-cut"] == str(LARGEST + 1).encode()
