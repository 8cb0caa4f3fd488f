"""The generator: documents of a small made-up English with every class labelled.

Document `i` of a seed is drawn from a random stream of its own, so it can be
made without its predecessors and the same (seed, index) gives the same document
on every machine, whatever PYTHONHASHSEED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from ingest.organism.sentences import Narrator
from ingest.organism.vocabulary import TOPICS

_TOPIC_NAMES = tuple(TOPICS)
MIN_SENTENCES, MAX_SENTENCES = 3, 8


@dataclass(frozen=True)
class Document:
    """A generated text.

    Attributes
    ----------
    words
        The words, punctuation included; the tokenizer makes each one token.
    labels
        For every word the names (keys of `CLASSES`) of the classes it belongs to.
    topic
        The topic that its nouns, places and most of its verbs come from.
    """

    words: tuple[str, ...]
    labels: tuple[frozenset[str], ...]
    topic: str

    @property
    def text(self) -> str:
        """The words, joined by single spaces."""
        return " ".join(self.words)


def document(seed: int, index: int) -> Document:
    """Generate one document of the stream that `seed` stands for.

    Parameters
    ----------
    seed
        Any integer; different seeds give unrelated streams.
    index
        Position in the stream, from 0.

    Raises
    ------
    ValueError
        If `index` is negative.
    """
    if index < 0:
        raise ValueError(f"document index is {index}; it counts from 0")
    # Random() digests a string with SHA-512, which keeps the streams apart.
    random = Random(f"{seed}/{index}").random  # noqa: S311 - no secrets here
    topic = _TOPIC_NAMES[int(random() * len(_TOPIC_NAMES))]
    narrator = Narrator(random, topic)
    for _ in range(MIN_SENTENCES + int(random() * (MAX_SENTENCES - MIN_SENTENCES + 1))):
        narrator.sentence()
    return Document(tuple(narrator.words), tuple(narrator.labels), topic)


def documents(seed: int) -> Iterator[Document]:
    """Generate the endless stream of documents of a seed, from index 0."""
    return (document(seed, index) for index in count())
