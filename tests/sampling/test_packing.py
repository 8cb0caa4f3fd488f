"""Rows: those of SAELens, and every token knows where it came from."""

import numpy as np
import pytest
import torch

from ingest.sampling.draw import BUFFER, Permuted, Shape, buffered, count_replicates, in_order, take
from ingest.sampling.packing import Piece, pack

BOS = 0


def _documents(seed: int, number: int) -> list[np.ndarray[tuple[int], np.dtype[np.int32]]]:
    random = np.random.default_rng(seed)
    return [random.integers(1, 50, random.integers(0, 30)).astype(np.int32) for _ in range(number)]


@pytest.mark.parametrize(("bos", "prepend"), [(BOS, True), (BOS, False), (None, False)])
@pytest.mark.parametrize("context", [2, 5, 12])
def test_rows_are_those_of_saelens(context: int, bos: int | None, prepend: bool) -> None:
    from sae_lens.tokenization_and_batching import concat_and_batch_sequences

    documents = [d for d in _documents(1, 60) if len(d)]
    documents[3][0] = BOS
    expected = list(
        concat_and_batch_sequences(
            (torch.from_numpy(d).long() for d in documents),
            context,
            begin_batch_token_id=bos if prepend else None,
            sequence_separator_token_id=bos,
        )
    )
    rows = list(pack((Piece(i, 0, d) for i, d in enumerate(documents)), context, bos, prepend))
    assert [row.tokens.tolist() for row in rows] == [row.tolist() for row in expected]


def test_provenance_finds_every_token_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    documents = _documents(2, 200)
    drawn = Permuted.read(iter(documents), 7, 3, tmp_path_factory.mktemp("scratch"))
    seen = set()
    for row in pack(drawn, 8, BOS, True):
        for token, document, offset in zip(row.tokens, row.document, row.offset, strict=True):
            if document < 0:
                assert token == BOS
                continue
            assert documents[document][offset] == token
            assert (document, offset) not in seen
            seen.add((document, offset))
    assert len(seen) > sum(map(len, documents)) - 8


def test_a_permutation_gives_every_piece_once_in_another_order_by_seed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    documents = _documents(4, 100)
    orders = []
    for seed in (0, 0, 1):
        drawn = Permuted.read(iter(documents), 7, seed, tmp_path_factory.mktemp("scratch"))
        orders.append([(p.document, p.offset, p.tokens.tolist()) for p in drawn])
    plain = [(p.document, p.offset, p.tokens.tolist()) for p in in_order(iter(documents), 7)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == plain


def test_a_shuffle_buffer_loses_nothing() -> None:
    pieces = [Piece(i, 0, np.zeros(1, np.int32)) for i in range(BUFFER + 50)]
    once, again, other = ([p.document for p in buffered(iter(pieces), seed, 100)] for seed in (0, 0, 1))
    assert once == again != other
    assert sorted(once) == sorted(other) == list(range(BUFFER + 50))
    assert [p.document for p in buffered(iter(pieces[:5]), 0)] != list(range(5))


def test_replicates_share_no_piece() -> None:
    special = np.zeros(50, np.bool_)
    special[BOS] = True
    shape = Shape(8, BOS, True, special)
    stream = in_order(iter(_documents(5, 300)), 7)
    pieces = []
    for _ in range(5):
        rows = take(stream, shape, 100)
        assert sum(map(shape.kept, rows)) >= 100 > sum(map(shape.kept, rows[:-1]))
        document = np.concatenate([row.document for row in rows])
        offset = np.concatenate([row.offset for row in rows])
        pieces.append({(d, o // 7) for d, o in zip(document, offset, strict=True) if d >= 0})
    for i, one in enumerate(pieces):
        assert not any(one & other for other in pieces[i + 1 :])


def test_replicates_that_a_corpus_allows_are_counted() -> None:
    special = np.zeros(50, np.bool_)
    special[BOS] = True
    shape = Shape(8, BOS, True, special)
    documents = [d for d in _documents(6, 100) if len(d)]
    total = sum(map(len, documents))
    assert count_replicates(in_order(iter(documents), 7), shape, 100, 1000) in range(
        total // 120, total // 100 + 1
    )
    assert count_replicates(in_order(iter(documents), 7), shape, total + 1, 10) == 0
