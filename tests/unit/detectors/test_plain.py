"""Objects become plain data and come back, and nothing but classes of the trusted package is ever made."""

import random
import subprocess
from collections import deque

import numpy as np
import pytest
from river import stats

from anchorwatch_detectors.plain import decode, encode

VALUES = [
    None,
    True,
    3,
    -1.5,
    float("inf"),
    "word",
    b"\x00\xff",
    [1, [2, (3, None)]],
    {"a": (1, 2), 3: {"b": []}, (1, "x"): 0},
    {1, 2, 3},
    frozenset({"a"}),
    deque([1, deque([2])], maxlen=4),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_and_containers_come_back_equal_and_of_their_type(value):
    back = decode(encode(value, "river"), "river")
    assert back == value
    assert type(back) is type(value)
    if isinstance(value, deque):
        assert back.maxlen == value.maxlen


def test_arrays_and_their_scalars_keep_type_and_shape():
    for array in (np.arange(6, dtype=np.int32).reshape(2, 3), np.zeros((0, 3)), np.array(2.5)):
        back = decode(encode(array, "river"), "river")
        assert (back.dtype, back.shape, back.tolist()) == (array.dtype, array.shape, array.tolist())
    scalar = decode(encode(np.float32(0.1), "river"), "river")
    assert type(scalar) is np.float32
    assert scalar == np.float32(0.1)


def test_a_random_generator_goes_on_where_it_was():
    generator = random.Random(5)
    generator.gauss(0, 1)
    back = decode(encode(generator, "river"), "river")
    assert [back.gauss(0, 1), back.random()] == [generator.gauss(0, 1), generator.random()]


def test_one_object_in_two_places_stays_one_object_also_within_itself():
    shared = stats.Mean()
    ring = [shared, {"again": shared}]
    ring.append(ring)
    back = decode(encode(ring, "river"), "river")
    assert back[0] is back[1]["again"]
    assert back[2] is back


def test_compiled_objects_of_river_tell_their_own_state():
    mean = stats.EWMean(0.3)
    for x in (1.0, 5.0, 2.0):
        mean.update(x)
    back = decode(encode(mean, "river"), "river")
    for both in (mean, back):
        both.update(7.0)
    assert back.get() == mean.get()


def test_what_is_not_plain_is_refused_by_the_name_of_its_attribute():
    mean = stats.Mean()
    mean.held = {"deep": [object()]}
    with pytest.raises(ValueError, match=r"Mean\.held\['deep'\]\[0\] is a builtins\.object"):
        encode(mean, "river")
    with pytest.raises(ValueError, match="array of objects"):
        encode(np.array([object()]), "river")


@pytest.mark.parametrize(
    "node",
    [
        {"$": "object", "class": "subprocess:Popen", "attributes": []},
        {"$": "compiled", "class": "subprocess:Popen", "arguments": None, "state": b""},
        {"$": "object", "class": "river.base.base:sys", "attributes": []},
        {"$": "object", "class": "river.drift.adwin:__doc__", "attributes": []},
        {"$": "object", "class": "river.stats:Nothing", "attributes": []},
        {"$": "object", "class": "river.stats.mean:np.ndarray", "attributes": []},
        {"$": "object"},
        {"$": "same", "index": 3},
        {"$": "keep"},
        {"$": "value"},
        {"$": "nonsense"},
        {"$": None},
        {},
        {"$": "list", "items": None},
    ],
    ids=repr,
)
def test_a_description_that_is_damaged_or_names_another_class_makes_nothing(node):
    assert subprocess.Popen
    with pytest.raises(ValueError, match="description"):
        decode(node, "river")
