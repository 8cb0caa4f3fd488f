"""The words that every topic shares: determiners, auxiliaries, pronouns, cycles.

Compiled once from `vocabulary`, by the choices that a sentence makes (number,
tense, kind), each word with its lexical classes.
"""

from __future__ import annotations

from typing import NamedTuple

from ingest.organism import lexicon as lex
from ingest.organism import vocabulary as v
from ingest.organism.lexicon import Word


class Pronouns(NamedTuple):
    """What stands for a referent, by its role."""

    subject: Word
    object: Word
    possessive: Word


def _plain(text: str, *labels: str) -> Word:
    return Word(text, frozenset(labels))


def _by_number(table: dict[str, str], label: str) -> dict[str, tuple[Word, ...]]:
    return {number: lex.flat(text, label, f"number:{number}") for number, text in table.items()}


def _finite(table: dict[tuple[str, str], str], label: str) -> dict[tuple[str, str], Word]:
    """Compile an auxiliary; a past form that serves both numbers shows none."""
    invariant = {text for (tense, _), text in table.items() if tense == "past"} - {"was", "were"}
    return {
        (tense, number): _plain(
            text,
            label,
            "finite_verb",
            f"tense:{tense}",
            *(() if text in invariant else (f"number:{number}",)),
        )
        for (tense, number), text in table.items()
    }


def _pronouns(number: str, gender: str, texts: tuple[str, str, str]) -> Pronouns:
    labels = (f"number:{number}",) + (() if gender == "any" else (f"gender:{gender}",))
    kinds = ("personal_pronoun", "object_pronoun", "possessive_pronoun")
    return Pronouns(*(_plain(text, kind, *labels) for text, kind in zip(texts, kinds, strict=True)))


STOP = _plain(".", "punctuation")
COMMA = _plain(",", "punctuation")

THE = _plain(v.DEFINITE_ARTICLE, "article")
AN = _plain("an", "article", "number:singular")
ARTICLES = _by_number(v.ARTICLES, "article")
DETERMINERS = tuple(
    _by_number(table, label)
    for table, label in (
        (v.DEMONSTRATIVES, "demonstrative"),
        (v.QUANTIFIERS, "quantifier"),
        (v.NUMERALS, "numeral"),
    )
)
NO = _plain(v.NEGATORS["determiner"], "negation")
NOT = _plain(v.NEGATORS["particle"], "negation")
NEVER = _plain(v.NEGATORS["adverb"], "negation")
ANY = _plain(v.POLARITY_ITEMS["determiner"], "quantifier", "polarity_item")
ANYMORE = _plain(v.POLARITY_ITEMS["adverb"], "adverb", "polarity_item")

BE = _finite(v.TO_BE, "to_be")
HAVE = _finite(v.TO_HAVE, "to_have")
DO = _finite(v.TO_DO, "to_do")
BEEN = _plain("been", "to_be", "has_been")
MODALS = lex.flat(v.MODALS, "modal", "finite_verb")

PRONOUNS = {
    (number, gender): _pronouns(number, gender, texts) for (number, gender), texts in v.PRONOUNS.items()
}
SPEAKER_POSSESSIVES = lex.flat(v.SPEAKER_POSSESSIVES, "possessive_pronoun")
RELATIVE_PRONOUNS = {kind: lex.flat(text, "relative_pronoun") for kind, text in v.RELATIVE_PRONOUNS.items()}

DEGREES = lex.flat(v.DEGREES, "degree")
ADVERBS = tuple(lex.words(text, "adverb", f"adverb:{kind}") for kind, text in v.ADVERBS.items())
PREPOSITIONS = lex.flat(v.PREPOSITIONS, "preposition")
ON, IN, FROM, TO = lex.flat("on in from to", "preposition")
BY = _plain("by", "preposition", "passive")
CONJUNCTIONS = lex.words(v.CONJUNCTIONS, "conjunction")

WEEKDAYS = lex.flat(v.WEEKDAYS, "weekday")
SEASONS = lex.flat(v.SEASONS, "season")
