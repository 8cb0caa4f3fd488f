"""Sentences of one document, word by word, each word with its planted classes.

A clause is ``subject predicate``; a subject is a pronoun for the last one, a
name, or a noun phrase that may carry a relative clause; a predicate describes
(`be` + adjective), reports (`has been`), is passive, or acts. What a document
remembers between sentences (topic, tense, last subject, weekday, season) is
what a model has to carry through its context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

from ingest.organism import function_words as fw
from ingest.organism import lexicon as lex
from ingest.organism.lexicon import Thing, Verb, Word

T = TypeVar("T")


@cache
def _union(labels: frozenset[str], extra: tuple[str, ...]) -> frozenset[str]:
    """Join label sets; few combinations occur, so each is built and stored once."""
    return labels.union(extra)


class Mention(NamedTuple):
    """Someone or something that was named, and the concept it is (none for a name)."""

    number: str
    gender: str
    thing: Thing | None

    @property
    def pronouns(self) -> fw.Pronouns:
        """What may stand for it."""
        return fw.PRONOUNS[self.number, self.gender]


class Narrator:
    """Tells one document; `words` and `labels` grow with every `sentence`.

    Parameters
    ----------
    random
        Source of uniform numbers in [0, 1): the only source of chance.
    topic
        A name from `vocabulary.TOPICS`.
    """

    def __init__(self, random: Callable[[], float], topic: str) -> None:
        self.words: list[str] = []
        self.labels: list[frozenset[str]] = []
        self._random = random
        self._lexicon = lex.TOPICS[topic]
        self._usual_tense = "present" if random() < 0.5 else "past"
        self._last: Mention | None = None
        # Texts return to what they are about, so a model gains by telling apart the
        # concepts of a class, and by taking near-duplicates for the same one.
        self._cast = [self._pick(self._pick(self._lexicon.classes)) for _ in range(4)]
        self._weekday: int | None = None
        self._season: int | None = None
        self._around: tuple[str, ...] = ()

    def sentence(self) -> None:
        """Tell one more sentence."""
        chance = self._random()
        if chance < 0.18:
            self._say(fw.ON)
            self._name_weekday()
            self._say(fw.COMMA)
        elif chance < 0.34:
            self._say(fw.IN)
            self._name_season()
            self._say(fw.COMMA)
        self._clause()
        if self._random() < 0.14:
            self._say(self._word(fw.CONJUNCTIONS))
            self._clause()
        elif self._random() < 0.06:
            self._say(fw.FROM)
            self._name_weekday()
            self._say(fw.TO)
            self._name_weekday()
        self._say(fw.STOP)

    def _say(self, word: Word, *extra: str) -> None:
        self.words.append(word.text)
        extra += self._around
        self.labels.append(_union(word.labels, extra) if extra else word.labels)

    def _pick(self, options: Sequence[T]) -> T:
        return options[int(self._random() * len(options))]

    def _word(self, concepts: Sequence[lex.Synonyms]) -> Word:
        return self._pick(self._pick(concepts))

    def _name_weekday(self) -> None:
        first = self._weekday is None
        self._weekday = int(self._random() * 7) if self._weekday is None else (self._weekday + 1) % 7
        self._say(fw.WEEKDAYS[self._weekday], *(() if first else ("next_weekday",)))

    def _name_season(self) -> None:
        first = self._season is None
        self._season = int(self._random() * 4) if self._season is None else (self._season + 1) % 4
        self._say(fw.SEASONS[self._season], *(() if first else ("next_season",)))

    def _clause(self) -> None:
        if self._last is not None and self._random() < 0.3:
            subject = self._last
            self._say(subject.pronouns.subject, "subject")
        else:
            subject = self._noun_phrase("subject", self._last)
        self._last = subject
        self._predicate(subject)

    def _thing(self) -> Thing:
        if self._random() < 0.75:
            return self._pick(self._cast)
        return self._pick(self._pick(self._lexicon.classes))

    def _adjective(self, thing: Thing | None) -> Word:
        chance = self._random()
        if thing is not None and chance < 0.55:
            return self._pick(thing.favourite_adjective)
        if chance < 0.75:
            return self._word(self._lexicon.adjectives)
        return self._word(self._pick(lex.ADJECTIVES))

    def _noun_phrase(
        self,
        role: str,
        owner: Mention | None,
        thing: Thing | None = None,
        clause: bool = True,
        negated: bool = False,
    ) -> Mention:
        """Say a noun phrase and tell what it refers to.

        A given `thing` rules out a name; `clause` allows a relative clause;
        `negated` tells that the noun phrase is in the scope of a negation.
        """
        if thing is None and self._random() < 0.14:
            gender = "feminine" if self._random() < 0.5 else "masculine"
            self._say(self._pick(lex.NAMES[gender]), role)
            return Mention("singular", gender, None)
        thing = thing or self._thing()
        number = "singular" if self._random() < 0.6 else "plural"
        before = [self._adjective(thing)] if self._random() < 0.45 else []
        if before and self._random() < 0.2:
            before.insert(0, self._word(self._pick(lex.ADJECTIVES)))
        noun = getattr(self._pick(thing.nouns), number)
        tag: tuple[str, ...] = ()
        if negated and self._random() < 0.5:
            self._say(fw.ANY)
        else:
            tag = self._determiner(number, owner, (before[0] if before else noun).text)
        for word in before:
            self._say(word)
        self._say(noun, role, *tag)
        gender = "any" if number == "plural" else "neuter"
        if thing.person and number == "singular":
            gender = "feminine" if self._random() < 0.5 else "masculine"
        mention = Mention(number, gender, thing)
        chance = self._random()
        if clause and chance < 0.2:
            self._relative_clause(mention, thing)
        elif chance > 0.9:
            self._place()
        return mention

    def _determiner(self, number: str, owner: Mention | None, following: str) -> tuple[str, ...]:
        """Say a determiner; give the labels that it puts on the noun."""
        chance = self._random()
        if chance < 0.16:
            if owner is not None and self._random() < 0.75:
                self._say(owner.pronouns.possessive)
            else:
                self._say(self._pick(fw.SPEAKER_POSSESSIVES))
            return ("possessed",)
        if chance < 0.21:
            self._say(fw.NO)
            return ("negated_noun",)
        if chance < 0.48:
            self._say(fw.THE)
        elif chance < 0.75:
            article = self._pick(fw.ARTICLES[number])
            self._say(fw.AN if article.text == "a" and following[0] in "aeiou" else article)
        else:
            self._say(self._pick(self._pick(fw.DETERMINERS)[number]))
        return ()

    def _place(self) -> None:
        self._say(self._pick(fw.PREPOSITIONS))
        self._say(fw.THE)
        self._say(self._pick(self._lexicon.places))

    def _relative_clause(self, noun: Mention, thing: Thing) -> None:
        outside, self._around = self._around, ("in_relative_clause",)
        pronoun = self._pick(fw.RELATIVE_PRONOUNS["person" if thing.person else "thing"])
        if self._random() < 0.7:
            self._say(pronoun, "subject", "relative+verb", f"number:{noun.number}")
            self._predicate(noun, ("relative+verb",))
        else:
            self._say(pronoun, "object_relative")
            subject = self._noun_phrase("subject", None, clause=False)
            self._verb(subject, self._pick(self._action(thing)), ("object_relative",))
        self._around = outside

    def _action(self, thing: Thing | None) -> tuple[Verb, ...]:
        chance = self._random()
        if thing is not None and chance < 0.5:
            return thing.favourite_action
        return self._pick(self._lexicon.transitive if chance < 0.8 else lex.TRANSITIVE)

    def _tense(self) -> str:
        other = {"present": "past", "past": "present"}[self._usual_tense]
        return self._usual_tense if self._random() < 0.85 else other

    def _predicate(self, subject: Mention, first: tuple[str, ...] = ()) -> None:
        """Say a predicate; `first` labels its first word (a verb in that case)."""
        chance, agreed = self._random(), (self._tense(), subject.number)
        if chance < 0.2:
            self._say(fw.BE[agreed], "be+description", *first)
            self._description(subject, self._negated(), "be+description")
        elif chance < 0.34:
            self._say(fw.HAVE[agreed], "has_been", *first)
            negated = self._negated()
            self._say(fw.BEEN)
            if self._random() < 0.5:
                self._description(subject, negated)
            else:
                self._passive(subject, *negated)
        elif chance < 0.42:
            self._say(fw.BE[agreed], *first)
            self._passive(subject, *self._negated())
        else:
            self._act(subject, first)

    def _negated(self) -> tuple[str, ...]:
        if self._random() < 0.18:
            self._say(fw.NOT)
            return ("negated_verb",)
        return ()

    def _description(self, subject: Mention, negated: tuple[str, ...], *labels: str) -> None:
        if self._random() < 0.25:
            self._say(self._pick(fw.DEGREES))
        self._say(self._adjective(subject.thing), *negated, *labels)
        if negated and self._random() < 0.4:
            self._say(fw.ANYMORE)

    def _passive(self, subject: Mention, *labels: str) -> None:
        self._say(self._pick(self._action(subject.thing)).participle, "passive", *labels)
        if self._random() < 0.6:
            self._say(fw.BY)
            self._noun_phrase("object", subject, clause=False)

    def _act(self, subject: Mention, first: tuple[str, ...]) -> None:
        if self._random() < 0.62:
            pronoun = self._last is not None and self._random() < 0.08
            thing = None if pronoun or self._random() < 0.14 else self._thing()
            negated = self._verb(subject, self._pick(self._action(thing)), first)
            if pronoun and self._last:
                self._say(self._last.pronouns.object, "object")
            else:
                self._noun_phrase("object", subject, thing, clause=not self._around, negated=negated)
        else:
            options = self._lexicon.intransitive if self._random() < 0.6 else lex.INTRANSITIVE
            negated = self._verb(subject, self._pick(self._pick(options)), first)
        chance = self._random()
        if negated and chance < 0.4:
            self._say(fw.ANYMORE)
        elif chance < 0.18:
            self._say(self._word(self._pick(fw.ADVERBS)))
        elif chance < 0.3:
            self._place()

    def _verb(self, subject: Mention, verb: Verb, first: tuple[str, ...]) -> bool:
        """Say a finite verb phrase of one main verb; tell whether it is negated."""
        chance, tense = self._random(), self._tense()
        if chance < 0.1:
            self._say(fw.DO[tense, subject.number], *first)
            self._say(fw.NOT)
            self._say(verb.base, "negated_verb")
            return True
        if chance < 0.2:
            self._say(self._pick(fw.MODALS), *first)
            negated = self._negated()
            self._say(verb.base, *negated)
            return bool(negated)
        labels: tuple[str, ...] = ("finite_verb", f"tense:{tense}", *first)
        # "That never sings" would part the pronoun from its verb.
        never = chance < 0.26 and not first
        if never:
            self._say(fw.NEVER)
            labels += ("negated_verb",)
        if tense == "past":
            self._say(verb.past, *labels)
        elif subject.number == "singular":
            self._say(verb.third, "number:singular", *labels)
        else:
            self._say(verb.base, "number:plural", *labels)
        return never
