"""What to call the places that are sampled, so that the same SAE has the same id everywhere."""

from collections import Counter
from pathlib import Path

from analysis.site import Site
from ingest.sampling.autoencoder import Autoencoder
from ingest.sampling.config import BUILT_IN, SampleConfig
from ingest.sampling.paths import files_of


def sites_of(config: SampleConfig, saes: list[Autoencoder]) -> list[Site]:
    """Name the site of every SAE.

    Where the registry knows the SAE's Neuronpedia page and the model asked for is the one it belongs to, both
    names are Neuronpedia's; the other sites of the run then share the model's name. Else the model is called
    as it was asked for, and the source after release and id.
    """
    known = [_neuronpedia(config, sae) for sae in saes]
    models = Counter(name.split("/")[0] for name in known if name)
    model = models.most_common(1)[0][0] if models else _plain_name(config.model)
    return [
        Site(
            model=name.split("/")[0] if name else model,
            source=name.split("/")[1] if name else _source(config, sae),
            layer=sae.layer,
            hook=sae.hook,
            release=BUILT_IN if config.sae == BUILT_IN else sae.choice.release,
            sae_id=sae.choice.sae_id,
            neuronpedia=name,
        )
        for name, sae in zip(known, saes, strict=True)
    ]


def _neuronpedia(config: SampleConfig, sae: Autoencoder) -> str:
    name = sae.choice.neuronpedia
    return name if name.count("/") == 1 and same_model(config.model, sae.choice.model) else ""


def same_model(one: str, other: str) -> bool:
    """Say whether two names mean one model, as ``gpt2-small`` and ``gpt2`` or ``google/gemma-2-2b`` do."""
    return _official(one) == _official(other)


def another_model(config: SampleConfig, saes: list[Autoencoder]) -> str:
    """Return a sentence if the SAEs were trained on another model than the one asked for, else nothing.

    Said only where both names are of models that are known; a directory or a name of one's own may be any.
    """
    said = next((str(sae.metadata.model_name) for sae in saes if sae.metadata.model_name), "")
    if config.model == BUILT_IN or files_of(config.model) or not (_known(config.model) and _known(said)):
        return ""
    if same_model(config.model, said):
        return ""
    return (
        f"--sae {config.sae!r} was trained on {said} and --model is {config.model!r}; "
        "what it reads there may mean nothing"
    )


def _known(name: str) -> bool:
    from transformer_lens.supported_models import (  # noqa: PLC0415  takes seconds
        MODEL_ALIASES,
        OFFICIAL_MODEL_NAMES,
    )

    return name in OFFICIAL_MODEL_NAMES or any(name in short for short in MODEL_ALIASES.values())


def _official(name: str) -> str:
    from transformer_lens.supported_models import MODEL_ALIASES  # noqa: PLC0415  takes seconds

    full = next((long for long, short in MODEL_ALIASES.items() if name in short), name)
    return full.split("/")[-1].casefold()


def _plain_name(model: str) -> str:
    return Path(model).resolve().name if files_of(model) else model


def _source(config: SampleConfig, sae: Autoencoder) -> str:
    own = sae.choice.sae_id.replace("/", "-")
    return own if config.sae == BUILT_IN else f"{sae.choice.release.split('/')[-1]}-{own}"
