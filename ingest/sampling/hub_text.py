"""Documents of a dataset on the Hugging Face hub, streamed. The one file that knows ``datasets``."""

from collections.abc import Callable, Iterable, Iterator

from analysis.errors import MisuseError
from ingest.sampling.failure import first_line, is_missing_network, is_not_there, told
from ingest.sampling.untyped import Json

_SHUFFLED = 1000
"""Documents in the library's own shuffle buffer; it also puts the shards in random order."""


def open_dataset(
    name: str, config: str | None, split: str, column: str, seed: int
) -> Callable[[], Iterator[str]]:
    """Open a streamed dataset, look at its first document, and return what starts a pass over the texts.

    Raises
    ------
    MisuseError
        There is no such dataset, configuration, split or column.
    StratigraphError
        It could not be fetched.
    """
    import datasets  # noqa: PLC0415  takes a second

    with told(f"dataset {name!r}", "--corpus"):
        try:
            stream = datasets.load_dataset(name, name=config, split=split, streaming=True)
            first = next(iter(stream), None)
        except (ValueError, FileNotFoundError) as error:
            if is_missing_network(error) or is_not_there(error):
                raise
            raise MisuseError(
                f"dataset {name!r} cannot be opened with --dataset-config {config or 'default'} "
                f"--split {split}: {first_line(error)}"
            ) from error
    if first is None:
        raise MisuseError(f"dataset {name!r}, split {split!r}, is empty; name another --split")
    if not isinstance(first.get(column), str):
        raise MisuseError(
            f"--text-column {column!r} holds no text in dataset {name!r}; its columns are {', '.join(first)}"
        )
    shuffled = stream.shuffle(seed=seed, buffer_size=_SHUFFLED)
    return lambda: _texts(shuffled, name, column)


def _texts(stream: Iterable[dict[str, Json]], name: str, column: str) -> Iterator[str]:
    with told(f"dataset {name!r}", "--corpus"):
        for record in stream:
            yield record[column] or ""
