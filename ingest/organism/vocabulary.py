"""The planted words, as data: what the generator can say, before any grammar.

Notation, read by `lexicon`: concepts are separated by blanks; words of one
concept that are used interchangeably (near-duplicates) by ``|``; forms of one
word by ``/``. Regular forms are left out: a noun is ``singular[/plural]``, a
verb ``base[/third person/past[/participle]]``, everything else has one form.
A word listed under two topics is a homograph on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """The words that only documents of one topic use.

    Attributes
    ----------
    nouns
        Noun class -> nouns.
    people
        The noun class whose members are persons ("who", not "which"), if any.
    adjectives, transitive, intransitive, places
        Words of the other parts of speech.
    """

    nouns: dict[str, str]
    people: str | None
    adjectives: str
    transitive: str
    intransitive: str
    places: str


TOPICS: dict[str, Topic] = {
    "animals": Topic(
        {
            "mammal": "dog cat horse wolf/wolves mouse/mice seal bat rabbit|bunny",
            "bird": "eagle robin owl goose/geese crow parrot sparrow hawk",
            "fish": "salmon/salmons trout/trouts shark eel bass herring perch pike",
        },
        None,
        "wild tame hungry furry stray timid",
        "chase|pursue bite/bites/bit/bitten feed/feeds/fed hunt lick sniff",
        "howl swim/swims/swam/swum graze nest",
        "forest barn river meadow burrow",
    ),
    "food": Topic(
        {
            "fruit": "apple pear plum lemon cherry melon fig banana",
            "dish": "soup stew pie salad omelet curry pudding sandwich",
            "drink": "tea juice cider coffee cocktail smoothie wine soda|lemonade",
        },
        None,
        "sweet sour spicy|peppery fresh ripe salty",
        "cook taste slice bake stir/stirs/stirred serve",
        "boil rot/rots/rotted melt cool",
        "kitchen oven market bowl pantry",
    ),
    "music": Topic(
        {
            "instrument": "violin|fiddle piano/pianos flute drum guitar harp organ bass",
            "composition": "sonata waltz opera hymn ballad march lullaby symphony",
            "musician": "singer pianist drummer composer conductor soprano/sopranos tenor cellist",
        },
        "musician",
        "loud quiet solemn melodic tuneful famous",
        "play tune compose rehearse hum/hums/hummed perform",
        "echo ring/rings/rang/rung resonate fade",
        "theatre stage hall studio church",
    ),
    "law": Topic(
        {
            "jurist": "judge lawyer|attorney witness juror clerk sheriff defendant prosecutor",
            "document": "contract verdict statute appeal warrant seal petition permit",
            "crime": "theft fraud|swindle robbery burglary bribery forgery murder assault",
        },
        "jurist",
        "guilty innocent legal formal strict lenient",
        "sign accuse question defend reject dismiss",
        "testify argue confess resign",
        "court office prison archive chamber",
    ),
    "science": Topic(
        {
            "scientist": "chemist physicist biologist astronomer geologist botanist zoologist engineer",
            "specimen": "atom molecule crystal cell enzyme fossil magnet mineral",
            "celestial": "planet comet galaxy star moon asteroid nebula/nebulae satellite",
        },
        "scientist",
        "dense magnetic organic frozen luminous|radiant radioactive",
        "measure observe study heat discover classify",
        "glow expand rotate decay",
        "laboratory observatory museum cave crater",
    ),
    "sport": Topic(
        {
            "athlete": "runner goalkeeper swimmer boxer cyclist rower coach|trainer referee",
            "equipment": "ball racket helmet bat net whistle paddle glove",
            "contest": "race tournament match final relay sprint marathon regatta",
        },
        "athlete",
        "fast strong tired fit skilled agile",
        "kick throw/throws/threw/thrown catch/catches/caught beat/beats/beat/beaten win/wins/won tackle",
        "jump score lose/loses/lost sweat",
        "stadium gym track pool pitch",
    ),
    "medicine": Topic(
        {
            "healer": "doctor|physician nurse surgeon dentist midwife/midwives "
            "pharmacist therapist paramedic",
            "body_part": "heart lung kidney bone muscle organ stomach/stomachs knee",
            "illness": "fever cough rash infection migraine allergy tumour ulcer",
        },
        "healer",
        "sick|ill healthy painful swollen contagious chronic",
        "treat cure examine bandage diagnose inject",
        "heal ache bleed/bleeds/bled recover",
        "hospital clinic ward surgery ambulance",
    ),
    "travel": Topic(
        {
            "vehicle": "train car bus ship|vessel bicycle plane truck ferry",
            "traveller": "pilot sailor tourist driver passenger captain guide pilgrim",
            "luggage": "suitcase backpack ticket passport map tent compass camera",
        },
        "traveller",
        "distant foreign crowded scenic remote delayed",
        "drive/drives/drove/driven steer park load rent board",
        "arrive depart|leave/leaves/left land sail",
        "station harbour airport hotel highway",
    ),
}

# Said of anything, whatever the topic.
ADJECTIVES: dict[str, str] = {
    "size": "big|large small|little tall short wide narrow",
    "color": "red blue green black white yellow",
    "mood": "happy|glad sad angry calm proud nervous",
    "age": "old|ancient young new modern recent medieval",
}
TRANSITIVE = (
    "see/sees/saw/seen find/finds/found like hate carry watch follow help praise ignore "
    "buy/buys/bought|purchase hide/hides/hid/hidden"
)
INTRANSITIVE = (
    "sleep/sleeps/slept wait fall/falls/fell/fallen move vanish|disappear begin/begins/began/begun|start"
)

NAMES: dict[str, str] = {
    "feminine": "alice carol emma grace irene karen maria olivia quinn sarah ursula wendy",
    "masculine": "bob david frank henry jack leo nathan peter robert simon thomas victor",
}
# (number, gender) of the owner -> pronouns; "speaker" owners need no antecedent.
PRONOUNS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("singular", "feminine"): ("she", "her", "her"),
    ("singular", "masculine"): ("he", "him", "his"),
    ("singular", "neuter"): ("it", "it", "its"),
    ("plural", "any"): ("they", "them", "their"),
}
SPEAKER_POSSESSIVES = "my our your"

WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
SEASONS = "spring summer autumn winter"

ARTICLES: dict[str, str] = {"singular": "a", "plural": "some"}
DEFINITE_ARTICLE = "the"
DEMONSTRATIVES: dict[str, str] = {"singular": "this that", "plural": "these those"}
QUANTIFIERS: dict[str, str] = {"singular": "every each", "plural": "many several all"}
NUMERALS: dict[str, str] = {"singular": "one", "plural": "two three four five"}

TO_BE: dict[tuple[str, str], str] = {
    ("present", "singular"): "is",
    ("present", "plural"): "are",
    ("past", "singular"): "was",
    ("past", "plural"): "were",
}
TO_HAVE: dict[tuple[str, str], str] = {
    ("present", "singular"): "has",
    ("present", "plural"): "have",
    ("past", "singular"): "had",
    ("past", "plural"): "had",
}
TO_DO: dict[tuple[str, str], str] = {
    ("present", "singular"): "does",
    ("present", "plural"): "do",
    ("past", "singular"): "did",
    ("past", "plural"): "did",
}
MODALS = "can will must should may"
DEGREES = "very quite rather extremely"
ADVERBS: dict[str, str] = {
    "frequency": "often|frequently always rarely|seldom sometimes",
    "manner": "quickly|rapidly slowly quietly carefully suddenly",
    "time": "today yesterday again soon",
}
PREPOSITIONS = "in near under behind beside above"
CONJUNCTIONS = "and but|yet because|since while"
NEGATORS: dict[str, str] = {"particle": "not", "adverb": "never", "determiner": "no"}
POLARITY_ITEMS: dict[str, str] = {"determiner": "any", "adverb": "anymore"}
RELATIVE_PRONOUNS: dict[str, str] = {"person": "who", "thing": "which that"}
