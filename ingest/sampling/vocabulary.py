"""The surface text of tokens, so that a sample can be read without the tokenizer."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.sampling.untyped import Tokenizer


def token_texts(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """Return for each id the text it adds after other text.

    Decoders drop the space before the first token, or join words by one: each id is therefore decoded behind
    a token whose own text is then cut off, so that a word keeps the space it carries and texts of consecutive
    tokens read as text. Bytes that are no character of their own show as the replacement character.
    """
    anchor = next(i for i in tokenizer("a", add_special_tokens=False)["input_ids"] or [int(ids[0])])

    def decode(batch: list[list[int]]) -> list[str]:
        return [tokenizer.decode(one, clean_up_tokenization_spaces=False) for one in batch]

    before = decode([[anchor]])[0]
    behind = decode([[anchor, int(i)] for i in ids])
    alone = decode([[int(i)] for i in ids])
    return [b[len(before) :] if b.startswith(before) else a for b, a in zip(behind, alone, strict=True)]


def vocabulary(tokenizer: Tokenizer, ids: NDArray[np.int32]) -> pl.DataFrame:
    """Return the table of ``token_id`` and ``text`` for the given ids, ascending."""
    ids = np.unique(ids)
    texts = token_texts(tokenizer, ids.tolist())
    return pl.DataFrame(
        {"token_id": ids.astype(np.int32), "text": texts}, schema={"token_id": pl.Int32, "text": pl.String}
    )
