"""Components by kind and the words of communities."""

import numpy as np
import pytest

from analysis.community_words import community_words
from analysis.component_reading import KINDS, read_components

LARGE, STANDALONE, TINY = range(3)


def test_components_by_kind() -> None:
    path = [(i, i + 1) for i in range(5)]
    ends = np.array([*path, (6, 7), (7, 8), (8, 9), (10, 11), (12, 13)], np.int32)
    cosine = np.array([0.1, 0.2, 0.3, np.nan, 0.2, 0.5, 0.6, 0.7, 0.9, np.nan])
    found = read_components(ends[:, 0], ends[:, 1], cosine, 15)
    kinds = [LARGE] * 6 + [STANDALONE] * 4 + [TINY] * 4 + [-1]
    assert found.kind.tolist() == kinds
    assert (found.components.tolist(), found.features.tolist()) == ([1, 1, 2], [6, 4, 4])
    assert found.cosine == pytest.approx([0.2, 0.6, 0.9])
    assert found.near_duplicates == 1
    assert KINDS == ("large", "standalone", "tiny")


def test_three_features_are_no_large_component() -> None:
    ends = np.array([0, 1], np.int32)
    found = read_components(ends, ends + 1, np.array([0.7, 0.6]), 3)
    assert found.components.tolist() == [0, 0, 1]
    assert found.near_duplicates == 0


def test_no_component() -> None:
    none = np.empty(0, np.int32)
    found = read_components(none, none, np.empty(0), 4)
    assert (found.kind.tolist(), found.components.tolist()) == ([-1] * 4, [0, 0, 0])
    assert np.isnan(found.cosine).all()


def test_words_are_those_that_members_share_and_others_do_not() -> None:
    labels = ["her · she · x", "Her · x", "her · she · x", "it · x", "its · x", None, "x"]
    member = np.array([0, 0, 0, 1, 1, 1, -1])
    assert community_words(member, labels, 3) == ["her · she", "it · its", None]


def test_words_of_sentences() -> None:
    labels = ["mentions of dogs", "words about dogs", "a cat", "mentions of rain"]
    assert community_words(np.array([0, 0, 1, 1]), labels, 2)[0] == "dogs"


def test_words_without_any_label() -> None:
    assert community_words(np.array([0, 0]), [None, None], 1) == [None]
    assert community_words(np.empty(0, np.int32), [], 0) == []
