"""Which SAEs a ``--sae`` means: of a registered release, a hub repository, or a directory.

Names are resolved before anything is read but small config files: the registry that SAELens carries answers
offline which ids a release has and what Neuronpedia calls them.
"""

import json
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from analysis.errors import DataError, MisuseError
from ingest.sampling.failure import nearest, told
from ingest.sampling.layers import format_layers, layer_numbers
from ingest.sampling.paths import looks_local
from ingest.sampling.untyped import RegistryEntry

CONFIG = "cfg.json"
_SHOWN = 8


@dataclass(frozen=True)
class Choice:
    """One SAE that could be loaded.

    Parameters
    ----------
    release
        Registered release, hub repository, or name of the directory it lies in.
    sae_id
        Its id there.
    layer
        Layer it stands for; None where its id has no block.
    neuronpedia
        ``model/source`` on Neuronpedia, empty if the registry does not say.
    model
        Model the registry names, empty for unregistered ones.
    directory
        Where its files lie, None for the hub.
    """

    release: str
    sae_id: str
    layer: int | None = None
    neuronpedia: str = ""
    model: str = ""
    directory: Path | None = None


def choose(source: str, layers: tuple[int, ...], asked: str = "") -> list[Choice]:
    """Return the one SAE for each layer asked for (all that `source` covers, if none), lowest first.

    `asked` is what the user called the source, where that differs.

    Raises
    ------
    MisuseError
        The release, the id or the layer is unknown, or a layer has several SAEs.
    """
    found = candidates(source)
    source = asked or source
    by_layer: dict[int, list[Choice]] = {}
    for choice in found:
        if choice.layer is not None:
            by_layer.setdefault(choice.layer, []).append(choice)
    if not by_layer:
        raise MisuseError(f"--sae {source!r} has no SAE at a block of the model; expected ids with a layer")
    for layer in layers:
        if layer not in by_layer:
            raise MisuseError(
                f"--sae {source!r} has no SAE for layer {layer}; it covers layers {format_layers(by_layer)}"
            )
    return [_only(source, layer, by_layer[layer]) for layer in layers or sorted(by_layer)]


def candidates(source: str) -> list[Choice]:
    """List every SAE a ``--sae`` could mean.

    Raises
    ------
    MisuseError
        Nothing goes by that name; the nearest names are offered.
    """
    path = Path(source).expanduser()
    parts = source.split("/")
    local = looks_local(parts[0] + "/")
    registry = {} if local else _registry()
    if parts[0] in registry:
        return _matching(source, parts[0], "/".join(parts[1:]), _registered(registry[parts[0]]))
    if path.is_dir():
        return _of_directory(path)
    here = next((p for p in path.parents if p.is_dir() and p not in (Path(), Path("/"))), None)
    if here is not None and (any(here.glob(f"*/{CONFIG}")) or looks_local(path.name)):
        return _matching(source, str(here), str(path.relative_to(here)), _of_directory(here))
    if local:
        raise MisuseError(f"--sae {source!r} is no directory; expected one that holds {CONFIG}, or a release")
    if len(parts) == 1:
        raise MisuseError(
            f"no SAE release is called {source!r}; the nearest are {nearest(source, list(registry))}"
        )
    repository = "/".join(parts[:2])
    registered = [name for name, entry in registry.items() if entry.repo_id == repository]
    if len(registered) == 1:
        return _matching(source, registered[0], "/".join(parts[2:]), _registered(registry[registered[0]]))
    if registered:
        raise MisuseError(f"--sae {source!r} holds several releases; name one of {', '.join(registered)}")
    return _matching(source, repository, "/".join(parts[2:]), _of_repository(repository))


def _registry() -> dict[str, RegistryEntry]:
    """Return SAELens' table of releases."""
    from sae_lens.loading.pretrained_saes_directory import (  # noqa: PLC0415  takes seconds
        get_pretrained_saes_directory,
    )

    return dict(get_pretrained_saes_directory())


def _registered(entry: RegistryEntry) -> list[Choice]:
    ids = list(entry.saes_map)
    return [
        Choice(entry.release, sae_id, layer, entry.neuronpedia_id.get(sae_id) or "", entry.model)
        for sae_id, layer in zip(ids, layer_numbers(ids), strict=True)
    ]


def _of_directory(path: Path) -> list[Choice]:
    """List the SAEs below a directory; one that is an SAE itself is numbered among those beside it."""
    if (path / CONFIG).is_file():
        return [c for c in _read_all(path.resolve().parent, "*") if c.directory == path.resolve()]
    found = _read_all(path.resolve(), "**")
    if not found:
        raise MisuseError(f"--sae {str(path)!r} holds no SAE; expected directories with {CONFIG} and weights")
    return found


def _read_all(root: Path, below: str) -> list[Choice]:
    directories = sorted(file.parent for file in root.glob(f"{below}/{CONFIG}"))
    layers = layer_numbers([_hook_in(directory / CONFIG) or directory.name for directory in directories])
    return [
        Choice(root.name, str(d.relative_to(root)), layer, directory=d)
        for d, layer in zip(directories, layers, strict=True)
    ]


def _of_repository(repository: str) -> list[Choice]:
    """List the SAEs of an unregistered hub repository by its config files."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415  takes a second

    with told(f"SAE repository {repository!r}", "--sae"):
        root = Path(snapshot_download(repository, allow_patterns=[f"*{CONFIG}"]))
    found = [replace(c, release=repository, directory=None) for c in _read_all(root, "**")]
    if not found:
        raise MisuseError(f"--sae {repository!r} holds no SAE; expected folders with {CONFIG} and weights")
    return found


def _hook_in(file: Path) -> str:
    """Return the hook name a SAELens config file speaks of."""
    try:
        config = json.loads(file.read_text())
        hook = config.get("metadata", config).get("hook_name") or config.get("hook_name")
        return str(hook or config.get("hook_point") or "")
    except (ValueError, OSError, AttributeError) as error:
        raise DataError(f"{file}: not readable as an SAE config ({error}); fetch the SAE again") from error


def _matching(source: str, release: str, pattern: str, found: list[Choice]) -> list[Choice]:
    """Keep the SAEs whose id is `pattern`, or matches it; all where there is none."""
    if not pattern:
        return found
    exact = [c for c in found if c.sae_id == pattern]
    matching = exact or [c for c in found if fnmatchcase(c.sae_id, pattern)]
    if not matching:
        raise MisuseError(
            f"--sae {source!r}: {release} has no SAE {pattern!r}; "
            f"the nearest are {nearest(pattern, [c.sae_id for c in found])}"
        )
    return matching


def _only(source: str, layer: int, found: list[Choice]) -> Choice:
    if len(found) == 1:
        return found[0]
    names = [f"{c.release}/{c.sae_id}" for c in found[:_SHOWN]]
    listed = ", ".join(names + ["..."] * (len(found) > _SHOWN))
    raise MisuseError(
        f"--sae {source!r} has {len(found)} SAEs for layer {layer}: {listed}; "
        "name one, or give a pattern that leaves one per layer, such as RELEASE/*width_16k*"
    )
