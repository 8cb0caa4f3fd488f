"""From documents to token ids: the tokenizer, and rows of the model's context.

Every word is one token. Rows are packed by SAELens' own routine: BOS first, then
documents one after another with BOS between them, so that what the model and the
SAEs were trained on is what SAELens would feed them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import torch
from sae_lens.tokenization_and_batching import concat_and_batch_sequences
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from ingest.organism.grammar import documents

BOS, PAD, UNKNOWN = "<|endoftext|>", "<|pad|>", "<|unk|>"
# In this many documents every word form occurs dozens of times.
_VOCABULARY_DOCUMENTS = 20_000


def make_tokenizer(seed: int, context: int) -> PreTrainedTokenizerFast:
    """Make a tokenizer whose tokens are the words of a stream, commonest first."""
    counts = Counter(
        word for document in islice(documents(seed), _VOCABULARY_DOCUMENTS) for word in document.words
    )
    words = sorted(counts, key=lambda word: (-counts[word], word))
    vocabulary = {token: i for i, token in enumerate([BOS, PAD, UNKNOWN, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    # This decoder joins tokens by a space and, without clean-up, changes nothing else.
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers leaves it so
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=BOS,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def token_rows(tokenizer: PreTrainedTokenizerBase, seed: int, context: int) -> Iterator[torch.Tensor]:
    """Pack the documents of a stream into rows of token ids, without end.

    Yields
    ------
    torch.Tensor
        int64[context], BOS first.
    """
    bos = tokenizer.bos_token_id
    sequences = (
        torch.tensor(tokenizer.convert_tokens_to_ids(list(document.words))) for document in documents(seed)
    )
    rows: Iterator[torch.Tensor] = concat_and_batch_sequences(
        sequences, context, begin_batch_token_id=bos, sequence_separator_token_id=bos
    )
    return rows


def token_batches(
    tokenizer: PreTrainedTokenizerBase, seed: int, context: int, rows: int
) -> Iterator[torch.Tensor]:
    """Stack `rows` rows of `token_rows` at a time: int64[rows, context]."""
    stream = token_rows(tokenizer, seed, context)
    while True:
        yield torch.stack(list(islice(stream, rows)))
