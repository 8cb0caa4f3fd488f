"""What was planted is what the model learnt, and what its SAEs' latents stand for."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import pytest
import torch
from sae_lens import SAE
from transformer_lens.model_bridge import TransformerBridge

from ingest.organism import MODEL_DIRECTORY, SAE_DIRECTORY, documents
from ingest.organism.recipe import Recipe

RECIPE = Recipe()
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reading:
    """Held-out documents, one a row, as the model reads them; position 0 is BOS."""

    ids: torch.Tensor
    labels: list[list[frozenset[str]]]
    log_probabilities: torch.Tensor
    activations: dict[str, torch.Tensor]
    token: Callable[[str], int]

    @property
    def text(self) -> torch.Tensor:
        """Where a word stands: bool[documents, context]."""
        return torch.tensor([[bool(found) for found in row] for row in self.labels])

    def positions(self, label: str) -> list[tuple[int, int]]:
        return [(i, t) for i, row in enumerate(self.labels) for t, found in enumerate(row) if label in found]


@pytest.fixture(scope="module")
def reading() -> Reading:
    model = TransformerBridge.boot_transformers(str(MODEL_DIRECTORY), device="cpu")
    tokenizer, context = model.tokenizer, RECIPE.context
    ids = torch.full((400, context), tokenizer.pad_token_id)
    labels = []
    for i, document in enumerate(islice(documents(RECIPE.stream("validation")), len(ids))):
        row = tokenizer.convert_tokens_to_ids([tokenizer.bos_token, *document.words])[:context]
        ids[i, : len(row)] = torch.tensor(row)
        labels.append([NOTHING, *document.labels][: len(row)] + [NOTHING] * (context - len(row)))
    with torch.no_grad():
        logits, cache = model.run_with_cache(ids, names_filter=list(RECIPE.hooks))
    return Reading(
        ids,
        labels,
        logits.log_softmax(-1),
        {hook: cache[hook] for hook in RECIPE.hooks},
        tokenizer.convert_tokens_to_ids,
    )


@pytest.fixture(scope="module")
def firing(reading: Reading) -> dict[str, torch.Tensor]:
    """For each layer, whether each latent fires on each word: 0 or 1, float32[words, latents]."""
    with torch.no_grad():
        return {
            hook: (SAE.load_from_disk(SAE_DIRECTORY / hook).encode(activations[reading.text]) > 0).float()
            for hook, activations in reading.activations.items()
        }


def test_the_model_knows_which_day_comes_next(reading: Reading) -> None:
    """It remembers the last weekday of the document: chance would be a seventh."""
    places = reading.positions("next_weekday")
    said = [reading.log_probabilities[i, t - 1, reading.ids[i, t]].exp().item() for i, t in places]
    assert len(said) > 100
    assert sum(said) / len(said) > 0.6


def test_the_model_makes_verbs_agree(reading: Reading) -> None:
    """Wherever a verb shows a number, the auxiliaries of that number are the likelier ones."""
    singular, plural = (
        [reading.token(word) for word in words.split()] for words in ("is was has does", "are were have do")
    )
    right = total = 0
    for i, t in reading.positions("finite_verb"):
        if reading.labels[i][t] & {"number:singular", "number:plural"}:
            said = reading.log_probabilities[i, t - 1]
            likelier = said[singular].logsumexp(0) > said[plural].logsumexp(0)
            right += bool(likelier) == ("number:singular" in reading.labels[i][t])
            total += 1
    assert total > 500
    assert right / total > 0.98


@pytest.mark.parametrize(
    "label",
    [
        "weekday",
        "to_have",
        "to_do",
        "degree",
        "relative_pronoun",
        "possessive_pronoun",
        "has_been",
        "negation",
        "passive",
        "verb:participle",
        "noun",
        "person",
        "near_duplicate:happy",
        "near_duplicate:old",
    ],
)
def test_some_latent_stands_for_a_planted_class(
    reading: Reading, firing: dict[str, torch.Tensor], label: str
) -> None:
    """On some layer, one latent fires on words of the class and on few others (F1)."""
    member = torch.tensor([[label in found for found in row] for row in reading.labels])[reading.text].float()
    best = max(
        (2 * (member @ fires) / (member.sum() + fires.sum(0))).max().item() for fires in firing.values()
    )
    assert best > 0.55
