"""The vocabulary compiled: every form of every word with the classes it belongs to.

Words carry their lexical classes (what the word is, wherever it stands);
`sentences` adds the contextual ones (what it does where it stands).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ingest.organism import vocabulary as v


class Word(NamedTuple):
    """A surface form and the planted classes it belongs to."""

    text: str
    labels: frozenset[str]


class Noun(NamedTuple):
    """Both numbers of a noun."""

    singular: Word
    plural: Word


class Verb(NamedTuple):
    """The four forms of a verb; the base form is also the plural of the present."""

    base: Word
    third: Word
    past: Word
    participle: Word


Synonyms = tuple[Word, ...]
"""Words of one concept, any of which may stand for it."""

Action = tuple[Verb, ...]
"""Verbs of one concept."""


@dataclass(frozen=True)
class Thing:
    """A noun concept: what it may be called and what is usually said of it.

    Nouns of one class would otherwise be indistinguishable from near-duplicates:
    the favourites make each concept of a class different from the others.

    Attributes
    ----------
    nouns
        Interchangeable nouns.
    favourite_adjective, favourite_action
        What it is most often called, and what is most often done to it.
    person
        Whether the concept is a person.
    """

    nouns: tuple[Noun, ...]
    favourite_adjective: Synonyms
    favourite_action: Action
    person: bool


@dataclass(frozen=True)
class TopicWords:
    """What a document of one topic draws from; `classes` holds the noun classes."""

    classes: tuple[tuple[Thing, ...], ...]
    adjectives: tuple[Synonyms, ...]
    transitive: tuple[Action, ...]
    intransitive: tuple[Action, ...]
    places: tuple[Word, ...]


def s_form(word: str) -> str:
    """Give the regular plural of a noun, or third person singular of a verb."""
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        return f"{word}es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def past_form(word: str) -> str:
    """Give the regular past of a verb (no doubling of consonants)."""
    if word.endswith("e"):
        return f"{word}d"
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ied"
    return f"{word}ed"


def _concepts(text: str) -> list[list[list[str]]]:
    """Parse the notation of `vocabulary`: concepts, each of words, each of forms."""
    return [[word.split("/") for word in concept.split("|")] for concept in text.split()]


def _shared(concept: list[list[str]]) -> tuple[str, ...]:
    """Name the near-duplicate class of a concept, if it has several words."""
    return (f"near_duplicate:{concept[0][0]}",) if len(concept) > 1 else ()


def words(text: str, *labels: str) -> tuple[Synonyms, ...]:
    """Compile words of one form, concept by concept."""
    return tuple(
        tuple(Word(forms[0], frozenset(labels + _shared(concept))) for forms in concept)
        for concept in _concepts(text)
    )


def flat(text: str, *labels: str) -> tuple[Word, ...]:
    """Compile words of one form that have no near-duplicates."""
    return tuple(Word(text_, frozenset(labels)) for text_ in text.split())


def verbs(text: str, *labels: str) -> tuple[Action, ...]:
    """Compile verbs, concept by concept."""

    def verb(forms: list[str], shared: tuple[str, ...]) -> Verb:
        base = forms[0]
        third = forms[1] if len(forms) > 1 else s_form(base)
        past = forms[2] if len(forms) > 2 else past_form(base)
        participle = forms[3] if len(forms) > 3 else past
        common = frozenset(("verb", *labels, *shared))
        return Verb(
            Word(base, common | {"verb:base"}),
            Word(third, common | {"verb:third_person"}),
            Word(past, common | {"verb:past"}),
            Word(participle, common | {"verb:participle"}),
        )

    return tuple(tuple(verb(forms, _shared(concept)) for forms in concept) for concept in _concepts(text))


def homographs() -> frozenset[str]:
    """Find the nouns (singular) that are listed under more than one topic."""
    count = Counter(
        forms[0]
        for topic in v.TOPICS.values()
        for nouns in topic.nouns.values()
        for concept in _concepts(nouns)
        for forms in concept
    )
    return frozenset(noun for noun, times in count.items() if times > 1)


def _noun(forms: list[str], labels: Iterable[str]) -> Noun:
    common = frozenset(labels) | ({"homograph"} if forms[0] in HOMOGRAPHS else frozenset())
    plural = forms[1] if len(forms) > 1 else s_form(forms[0])
    return Noun(Word(forms[0], common | {"number:singular"}), Word(plural, common | {"number:plural"}))


def _topic(name: str, topic: v.Topic) -> TopicWords:
    tag = f"topic:{name}"
    adjectives = words(topic.adjectives, "adjective", f"adjective:{name}", tag)
    transitive = verbs(topic.transitive, tag)
    # Each concept gets its own pair of favourites: one adjective that is said of
    # anything, one verb of the topic, both by its rank, so no chance is involved.
    general = [adjective for group in ADJECTIVES for adjective in group]
    classes = []
    for c, (class_name, nouns) in enumerate(topic.nouns.items()):
        person = class_name == topic.people
        labels = ("noun", f"noun:{class_name}", tag) + (("person",) if person else ())
        classes.append(
            tuple(
                Thing(
                    tuple(_noun(forms, labels + _shared(concept)) for forms in concept),
                    general[(8 * c + 3 * i) % len(general)],
                    transitive[(2 * c + i) % len(transitive)],
                    person,
                )
                for i, concept in enumerate(_concepts(nouns))
            )
        )
    return TopicWords(
        tuple(classes),
        adjectives,
        transitive,
        verbs(topic.intransitive, tag),
        flat(topic.places, "place", tag),
    )


HOMOGRAPHS = homographs()
ADJECTIVES = tuple(words(text, "adjective", f"adjective:{name}") for name, text in v.ADJECTIVES.items())
TOPICS: dict[str, TopicWords] = {name: _topic(name, topic) for name, topic in v.TOPICS.items()}
TRANSITIVE = verbs(v.TRANSITIVE)
INTRANSITIVE = verbs(v.INTRANSITIVE)
NAMES = {gender: flat(text, "name", f"name:{gender}", "number:singular") for gender, text in v.NAMES.items()}
