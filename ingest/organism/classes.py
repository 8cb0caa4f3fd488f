"""The planted classes: the name of each, and one sentence saying what it is.

Lexical classes say what a word is, wherever it stands; contextual ones what it
does where it stands. Names are stable: tests and analyses refer to them.
"""

from __future__ import annotations

from ingest.organism import vocabulary as v

_LEXICAL: dict[str, str] = {
    "noun": "A common noun.",
    "person": "A noun for a person.",
    "place": "A place in which something of the topic happens.",
    "name": "A person's name.",
    "name:feminine": "A woman's name.",
    "name:masculine": "A man's name.",
    "adjective": "An adjective.",
    "verb": "A main verb, in any form.",
    "verb:base": "A main verb in its base form (plural present, or after an auxiliary).",
    "verb:third_person": "A main verb in the third person singular of the present.",
    "verb:past": "A main verb in the past tense.",
    "verb:participle": "A past participle.",
    "to_be": "A finite form of 'to be', or 'been'.",
    "to_have": "A form of 'to have' as an auxiliary.",
    "to_do": "A form of 'to do' as an auxiliary.",
    "modal": "A modal verb (can, will, must, should, may).",
    "article": "The, a, an, some.",
    "demonstrative": "This, that, these, those before a noun.",
    "quantifier": "Every, each, many, several, all, any.",
    "numeral": "One to five.",
    "possessive_pronoun": "My, our, your, his, her, its, their.",
    "personal_pronoun": "He, she, it, they as a subject.",
    "object_pronoun": "Him, her, it, them as an object.",
    "relative_pronoun": "Who, which, that after the noun they refer to.",
    "preposition": "A preposition.",
    "conjunction": "A conjunction between two clauses.",
    "degree": "An adverb before an adjective (very, quite).",
    "adverb": "An adverb after a verb.",
    "adverb:frequency": "An adverb of frequency (often, rarely).",
    "adverb:manner": "An adverb of manner (quickly, carefully).",
    "adverb:time": "An adverb of time (today, again).",
    "weekday": "A day of the week.",
    "season": "A season.",
    "polarity_item": "Any, anymore: said only where a verb or description is negated.",
    "punctuation": "A full stop or a comma.",
    "homograph": "A noun of two topics, which only the context tells apart (bat, seal).",
}

_CONTEXTUAL: dict[str, str] = {
    "number:singular": "A word whose form, or for a relative pronoun whose noun, is singular.",
    "number:plural": "A word whose form, or for a relative pronoun whose noun, is plural.",
    "gender:feminine": "A pronoun that refers to a woman.",
    "gender:masculine": "A pronoun that refers to a man.",
    "gender:neuter": "A pronoun that refers to one animal or thing.",
    "tense:present": "A finite verb in the present tense.",
    "tense:past": "A finite verb in the past tense.",
    "subject": "The head of a subject: noun, name, personal or relative pronoun.",
    "finite_verb": "The verb or auxiliary that agrees with a subject.",
    "object": "The head of a direct object, or of the agent of a passive.",
    "possessed": "A noun owned by way of a possessive pronoun before it.",
    "be+description": "'To be' (finite) and the adjective that describes its subject.",
    "has_been": "Has, have or had, and the 'been' that follows it.",
    "passive": "The participle of a passive and the 'by' of its agent.",
    "relative+verb": "A relative pronoun that is a subject, and the verb right after it.",
    "object_relative": "A relative pronoun that is an object, and the verb of its clause.",
    "in_relative_clause": "A word inside a relative clause, its pronoun included.",
    "negation": "Not, never, or 'no' before a noun.",
    "negated_verb": "The verb, or after 'to be' the description, that is negated.",
    "negated_noun": "The noun after 'no'.",
    "next_weekday": "A weekday that follows, by one day, the last one named in the document.",
    "next_season": "A season that follows the last one named in the document.",
}


def _near_duplicates() -> dict[str, str]:
    """Name the concepts that have several interchangeable words."""
    texts = [v.TRANSITIVE, v.INTRANSITIVE, v.CONJUNCTIONS, *v.ADJECTIVES.values()]
    texts += v.ADVERBS.values()
    for topic in v.TOPICS.values():
        texts += [*topic.nouns.values(), topic.adjectives, topic.transitive, topic.intransitive]
    groups = (
        [word.split("/")[0] for word in concept.split("|")] for text in texts for concept in text.split()
    )
    return {
        f"near_duplicate:{group[0]}": f"Used interchangeably: {', '.join(group)}."
        for group in groups
        if len(group) > 1
    }


CLASSES: dict[str, str] = {
    **_LEXICAL,
    **_CONTEXTUAL,
    **{f"topic:{name}": f"A word only used in documents on {name}." for name in v.TOPICS},
    **{
        f"noun:{name}": f"A noun of the class '{name}' (topic {topic_name})."
        for topic_name, topic in v.TOPICS.items()
        for name in topic.nouns
    },
    **{f"adjective:{name}": f"An adjective of {name}, said of anything." for name in v.ADJECTIVES},
    **{f"adjective:{name}": f"An adjective of the topic {name}." for name in v.TOPICS},
    **_near_duplicates(),
}
