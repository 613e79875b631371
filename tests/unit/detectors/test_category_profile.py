"""Category column profiles: the frequent words of a column."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch_detectors.profile import CategoryProfile

WORDS = st.lists(st.sampled_from(["a", "b", "c", "é", "", "other"]) | st.none(), max_size=40)


def profile_of(words, limit=1000):
    vocabulary = list(dict.fromkeys(word for word in words if word is not None))
    codes = [-1 if word is None else vocabulary.index(word) for word in words]
    return CategoryProfile.of(np.array(codes, np.int32), vocabulary, limit)


def test_words_stand_by_count_then_alphabet_and_the_rest_is_other():
    profile = profile_of(["b", "a", "c", "c", "d", None], limit=2)
    assert profile.words == ("c", "a")
    assert profile.counts.tolist() == [2, 1, 2]
    assert (profile.n, profile.missing) == (5, 1)


def test_a_word_of_the_vocabulary_that_never_occurs_is_not_kept():
    assert CategoryProfile.of([1, 1], ["unused", "used"]).words == ("used",)


@given(WORDS, st.randoms(use_true_random=False), st.integers(1, 6))
def test_neither_the_order_of_values_nor_of_the_vocabulary_matters(words, random, limit):
    shuffled = list(words)
    random.shuffle(shuffled)
    assert profile_of(words, limit).to_plain() == profile_of(shuffled, limit).to_plain()


def test_cells_follow_the_words_whatever_the_vocabulary_of_the_window():
    profile = profile_of(["x", "x", "y"])
    assert profile.cells(np.array([0, 1, 2, -1], np.int32), ["new", "y", "x"]).tolist() == [2, 1, 0, -1]
    assert profile.cells(np.array([-1], np.int32), []).tolist() == [-1]


def test_mid_ranks_go_from_the_most_frequent_word_to_the_others():
    profile = profile_of(["x", "x", "y", "z"], limit=2)
    assert profile.mid_ranks.tolist() == [0.25, 0.625, 0.875]
    assert np.isnan(profile_of([None]).mid_ranks).all()


@given(WORDS, WORDS)
def test_a_merge_is_the_profile_of_both_samples_from_either_side(a, b):
    merged = profile_of(a).merge(profile_of(b))
    assert merged.to_plain() == profile_of(a + b).to_plain() == profile_of(b).merge(profile_of(a)).to_plain()


@given(WORDS, WORDS, st.integers(0, 3))
def test_a_merge_adds_counts_exactly_even_where_words_are_among_the_others(a, b, limit):
    left, right = profile_of(a, limit), profile_of(b, limit)
    merged = left.merge(right)
    assert merged.n == left.n + right.n
    assert merged.counts[-1] == left.counts[-1] + right.counts[-1]
    assert merged.missing == left.missing + right.missing


def test_compact_moves_the_rarest_words_to_the_others():
    profile = profile_of(["x", "x", "x", "y", "y", "z"]).compact(1)
    assert (profile.words, profile.counts.tolist()) == (("x",), [3, 3])


@given(WORDS)
def test_a_profile_survives_json_exactly(words):
    described = profile_of(words, 3).to_plain()
    assert CategoryProfile.from_plain(json.loads(json.dumps(described))).to_plain() == described


@pytest.mark.parametrize("damage", [{"words": ["x", "x"], "counts": [1, 1, 0]}, {"counts": [1]}, {"counts": [-1, 0]}])
def test_a_damaged_profile_is_refused(damage):
    with pytest.raises(ValueError, match="distinct words and one count more"):
        CategoryProfile.from_plain(profile_of(["x"]).to_plain() | damage)


def test_a_profile_that_lacks_entries_is_refused_by_their_names():
    with pytest.raises(ValueError, match="lacks counts, missing"):
        CategoryProfile.from_plain({"words": []})
