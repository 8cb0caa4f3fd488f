"""Two samples directories that links can be drawn between: of one pass, the later carried from the other."""

from dataclasses import dataclass
from pathlib import Path

from analysis.dictionary import Dictionary
from analysis.errors import DataError, MisuseError
from ingest.samples_directory import SamplesDirectory, open_samples

_REMEDY = "sample those two layers together: stratigraph sample --layers {lower},{upper}"


@dataclass(frozen=True)
class Pair:
    """An earlier and a later layer at the same tokens."""

    lower: SamplesDirectory
    upper: SamplesDirectory

    @property
    def name(self) -> str:
        """The layers, such as ``0-1``."""
        return f"{self.lower.site.layer}-{self.upper.site.layer}"

    @property
    def dictionaries(self) -> tuple[Dictionary, Dictionary]:
        """The directions of both layers; `pair_of` has seen that they are there."""
        lower, upper = self.lower.dictionary, self.upper.dictionary
        assert lower is not None
        assert upper is not None
        return lower, upper

    def replicates(self, asked: int | None) -> int:
        """Return how many replicates are used; raises as ``SamplesDirectory.usable`` does of either side."""
        return min(self.lower.usable(asked), self.upper.usable(asked))


def pair_of(lower: Path, upper: Path) -> Pair:
    """Open two samples directories that links can be drawn between.

    Raises
    ------
    MisuseError
        They are not two layers of one pass, the first the next below the second.
    DataError
        One breaks the format, or has no dictionary.
    """
    pair = Pair(open_samples(lower), open_samples(upper))
    _check_sites(pair)
    _check_pass(pair)
    for side in (pair.lower, pair.upper):
        if side.dictionary is None:
            raise DataError(
                f"{side.path} has no dictionary.safetensors; a link needs the directions of both layers, "
                "sample it again"
            )
    widths = [dictionary.decoder.shape[1] for dictionary in pair.dictionaries]
    if len(set(widths)) > 1:
        raise DataError(
            f"{lower} has directions of {widths[0]} dimensions and {upper} of {widths[1]}; "
            "expected two layers of one residual stream"
        )
    return pair


def pairs_in(root: Path) -> list[Pair]:
    """Open every pair below a directory that ``sample`` made, the lowest first.

    Raises
    ------
    MisuseError
        There is none.
    """
    found = {file.parent.name: open_samples(file.parent) for file in root.glob("*/samples.json")}
    pairs = [
        (found[str(below)], upper)
        for upper in found.values()
        if (below := upper.manifest.get("carried_from")) is not None and str(below) in found
    ]
    if not pairs:
        raise MisuseError(
            f"{root} holds no two layers that were sampled together; expected what "
            "`stratigraph sample --layers 0-3 --out DIR` makes"
        )
    pairs.sort(key=lambda pair: pair[1].site.layer)
    return [pair_of(lower.path, upper.path) for lower, upper in pairs]


def _check_sites(pair: Pair) -> None:
    lower, upper = pair.lower.site, pair.upper.site
    if lower.model != upper.model:
        raise MisuseError(
            f"{pair.lower.path} is of model {lower.model!r} and {pair.upper.path} of {upper.model!r}; "
            "expected two layers of one model"
        )
    if lower.layer >= upper.layer:
        raise MisuseError(
            f"{pair.lower.path} is of layer {lower.layer} and {pair.upper.path} of layer {upper.layer}; "
            "expected the earlier layer first"
        )


def _check_pass(pair: Pair) -> None:
    lower, upper = pair.lower, pair.upper
    remedy = _REMEDY.format(lower=lower.site.layer, upper=upper.site.layer)
    if lower.manifest.get("corpus") != upper.manifest.get("corpus"):
        raise MisuseError(f"{lower.path} and {upper.path} are of different corpora; {remedy}")
    hashes = [side.manifest.get("tokens_hash") for side in (lower, upper)]
    if hashes[0] is None or hashes[0] != hashes[1]:
        raise MisuseError(
            f"{lower.path} and {upper.path} hold different tokens (tokens_hash {hashes[0]} and {hashes[1]}); "
            f"{remedy}"
        )
    below = upper.manifest.get("carried_from")
    if below is None or (upper.path.parent / str(below)).resolve() != lower.path.resolve():
        said = "from no layer" if below is None else f"from its sibling {below!r}"
        raise MisuseError(f"{upper.path} is carried {said}, not from {lower.path}; {remedy}")
