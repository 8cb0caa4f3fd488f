import polars as pl

from ingest.inference.words import readable


def test_labels_show_blanks_and_strip_the_rest() -> None:
    tokens = pl.DataFrame({"token": [" the", "\n\n", "  ", "Mrs ", "a b"]})
    assert tokens.select(readable(pl.col("token")))["token"].to_list() == ["the", "↵↵", "␣␣", "Mrs", "a b"]
