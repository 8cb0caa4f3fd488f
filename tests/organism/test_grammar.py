"""The generator: reproducible, fully labelled, and grammatical where it says so."""

import subprocess
import sys
from collections import Counter
from itertools import islice, pairwise

import pytest

from ingest.organism import CLASSES, Document, document, documents
from ingest.organism.vocabulary import TOPICS, WEEKDAYS

Labels = frozenset[str]


@pytest.fixture(scope="module")
def sample() -> list[Document]:
    return list(islice(documents(7), 3000))


def number(labels: Labels) -> str | None:
    return next((label for label in sorted(labels) if label.startswith("number:")), None)


def with_label(document_: Document, label: str) -> list[int]:
    return [t for t, labels in enumerate(document_.labels) if label in labels]


def test_a_seed_gives_one_stream_and_random_access_to_it(sample: list[Document]) -> None:
    assert list(islice(documents(7), 50)) == sample[:50]
    assert document(7, 2999) == sample[2999]
    assert document(8, 0) != document(7, 0)
    assert len({one.text for one in sample}) == len(sample)


def test_documents_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from ingest.organism import document; d = document(7, 3); "
        "print(d.text, [sorted(labels) for labels in d.labels])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert document(7, 3).text in said.pop().decode()


def test_a_negative_index_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        document(0, -1)


def test_every_word_has_its_labels_and_the_text_its_words(sample: list[Document]) -> None:
    for one in sample:
        assert len(one.labels) == len(one.words)
        assert one.text.split(" ") == list(one.words)
        assert one.topic in TOPICS
        assert all(one.labels)


def test_labels_are_the_documented_classes_and_all_occur(sample: list[Document]) -> None:
    seen = Counter(label for one in sample for labels in one.labels for label in labels)
    assert set(seen) == set(CLASSES)
    assert min(seen.values()) >= 20
    assert all(sentence.endswith(".") for sentence in CLASSES.values())


def test_words_of_a_topic_stay_in_its_documents(sample: list[Document]) -> None:
    for one in sample:
        topics = {label for labels in one.labels for label in labels if label.startswith("topic:")}
        assert topics <= {f"topic:{one.topic}"}


def test_every_finite_verb_agrees_with_its_subject(sample: list[Document]) -> None:
    """A stack of open subjects finds a verb's subject, over any relative clause between them."""
    checked = 0
    for one in sample:
        open_subjects: list[str | None] = []
        for word, labels in zip(one.words, one.labels, strict=True):
            if "subject" in labels:
                open_subjects.append(number(labels))
            if "finite_verb" in labels:
                subject, verb = open_subjects.pop(), number(labels)
                assert subject is not None
                assert verb in (None, subject), one.text
                checked += verb is not None
            if word == ".":
                assert not open_subjects, one.text
    assert checked > 5000


def test_determiners_that_show_number_agree_with_their_noun(sample: list[Document]) -> None:
    determiners = {"article", "demonstrative", "quantifier", "numeral"}
    for one in sample:
        due: str | None = None
        for labels in one.labels:
            if labels & determiners:
                due = number(labels)
            elif "noun" in labels:
                assert due in (None, number(labels)), one.text
                due = None


def test_an_comes_before_vowels_only(sample: list[Document]) -> None:
    for one in sample:
        for word, following in pairwise(one.words):
            if word in {"a", "an"}:
                assert (word == "an") == (following[0] in "aeiou")


def test_weekdays_go_round(sample: list[Document]) -> None:
    week, steps = WEEKDAYS.split(), set()
    for one in sample:
        days = with_label(one, "weekday")
        assert with_label(one, "next_weekday") == days[1:]
        for before, after in pairwise(days):
            steps.add((one.words[before], one.words[after]))
    assert steps == {(day, week[(i + 1) % 7]) for i, day in enumerate(week)}


def test_constructions_stand_where_their_labels_say(sample: list[Document]) -> None:
    for one in sample:
        for t in with_label(one, "has_been"):
            assert one.words[t] in {"has", "have", "had", "been"}
            if one.words[t] != "been":
                assert "been" in one.words[t + 1 : t + 3]
        for t in with_label(one, "relative_pronoun"):
            assert one.words[t] in {"who", "which", "that"}
            if "relative+verb" in one.labels[t]:
                assert {"relative+verb", "finite_verb"} <= one.labels[t + 1]
        for t in with_label(one, "be+description"):
            assert one.labels[t] & {"to_be", "adjective"}
        for t in with_label(one, "negated_verb"):
            assert any("negation" in labels for labels in one.labels[max(t - 3, 0) : t])
        for t in with_label(one, "possessed"):
            assert any("possessive_pronoun" in labels for labels in one.labels[max(t - 3, 0) : t])


def test_polarity_items_follow_a_negation_in_their_sentence(sample: list[Document]) -> None:
    for one in sample:
        negated = False
        for word, labels in zip(one.words, one.labels, strict=True):
            negated = (negated and word != ".") or "negation" in labels
            assert negated or "polarity_item" not in labels, one.text


def test_near_duplicates_keep_the_same_company(sample: list[Document]) -> None:
    """Words of one concept occur about equally often; the words before them do not tell them apart."""
    groups: dict[str, Counter[str]] = {}
    for one in sample:
        for word, labels in zip(one.words, one.labels, strict=True):
            for label in labels:
                if label.startswith("near_duplicate:") and not labels & {"noun", "verb"}:
                    groups.setdefault(label, Counter())[word] += 1
    assert len(groups) > 8
    for counts in groups.values():
        assert len(counts) > 1
        assert min(counts.values()) > 0.5 * max(counts.values())


def test_homographs_belong_to_two_topics(sample: list[Document]) -> None:
    topics: dict[str, set[str]] = {}
    for one in sample:
        for t in with_label(one, "homograph"):
            topics.setdefault(one.words[t], set()).add(one.topic)
    assert {"bat", "seal", "organ", "bass"} <= set(topics)
    assert all(len(found) == 2 for found in topics.values())
