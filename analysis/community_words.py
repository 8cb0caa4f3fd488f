"""Words for a community: what its members' labels share and others' do not.

A word that ``k`` of the ``s`` labelled members of a community have in their labels, and ``K`` of all ``n``
labelled features, scores ``k log((k / s) / (K / n))``: how many members it names, times how much more often
it is found here. Where any word scores more than 0, none that does not is taken; and of those, where members
share any, none of a single member.
"""

from collections.abc import Sequence

import polars as pl

from analysis.activations import Int32

_WORDS = 3
BETWEEN = " · "
"""What stands between the words of a label made of top tokens."""


def community_words(member: Int32, label: Sequence[str | None], communities: int) -> list[str | None]:
    """Return a label for each community, None where its members have none.

    Parameters
    ----------
    member : shape (n,)
        Number of each feature's community; -1 for none.
    label
        The features' labels. One with ``·`` is a list of words; any other is a sentence of words.
    communities
        How many communities there are.
    """
    text = pl.col("label").str.to_lowercase()
    parts = pl.when(text.str.contains(BETWEEN, literal=True)).then(text.str.split(BETWEEN))
    labelled = (
        pl.DataFrame({"member": member, "label": pl.Series(label, dtype=pl.String)})
        .with_row_index("feature")
        .drop_nulls("label")
    )
    words = (
        labelled.with_columns(word=parts.otherwise(text.str.extract_all(r"\S+")))
        .explode("word")
        .with_columns(pl.col("word").str.strip_chars())
        .filter(pl.col("word").str.len_chars() > 0)
        .unique(["feature", "word"])
    )
    everywhere = words.group_by("word").agg(everywhere=pl.len())
    size = labelled.group_by("member").agg(size=pl.len())
    here = (
        words.filter(pl.col("member") >= 0)
        .group_by("member", "word")
        .agg(here=pl.len())
        .join(everywhere, on="word")
        .join(size, on="member")
    )
    share = (pl.col("here") / pl.col("size")) / (pl.col("everywhere") / labelled.height)
    best = (
        here.with_columns(score=pl.col("here") * share.log(), shared=pl.col("here") > 1)
        .filter((pl.col("score") > 0) | ~(pl.col("score") > 0).any().over("member"))
        .filter(pl.col("shared") | ~pl.col("shared").any().over("member"))
        .sort(["member", "score", "here", "word"], descending=[False, True, True, False])
        .group_by("member", maintain_order=True)
        .agg(pl.col("word").head(_WORDS))
    )
    found = dict(zip(best["member"], best["word"].list.join(BETWEEN), strict=True))
    return [found.get(number) for number in range(communities)]
