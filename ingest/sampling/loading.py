"""SAEs and the model that they were trained on, loaded as they belong together."""

import sys

from ingest.sampling import autoencoder, draw, model
from ingest.sampling.autoencoder import Autoencoder
from ingest.sampling.config import SampleConfig
from ingest.sampling.reading import Reader
from ingest.sampling.release import Choice
from ingest.sampling.sites import another_model


def load_saes(config: SampleConfig, choices: list[Choice]) -> list[Autoencoder]:
    """Load the SAEs, and warn if they seem to be of another model than the one asked for.

    Raises
    ------
    MisuseError
        One cannot be used, or they were not trained on one model.
    StratigraphError
        One could not be fetched or read.
    """
    device = model.pick_device(config.device)
    saes = [autoencoder.load(choice, device) for choice in choices]
    for name in ("model_name", "model_class_name"):
        autoencoder.agreed(saes, name)
    doubt = another_model(config, saes)
    if doubt:
        sys.stderr.write(f"stratigraph: warning: {doubt}\n")
    return saes


def load_reader(config: SampleConfig, saes: list[Autoencoder]) -> tuple[Reader, draw.Shape]:
    """Load the model as the SAEs expect it; return what reads rows with them, and how rows are made.

    Raises
    ------
    MisuseError
        There is no such model, the SAEs disagree on how rows are made, or it lacks one of their hooks.
    StratigraphError
        It could not be fetched.
    """
    context = autoencoder.agreed(saes, "context_size")
    language = model.load(
        config.model,
        config.model_source,
        model.pick_device(config.device),
        autoencoder.agreed(saes, "model_from_pretrained_kwargs"),
        context,
        autoencoder.agreed(saes, "prepend_bos"),
    )
    model.check_hooks(language, [sae.hook for sae in saes])
    shape = draw.Shape(language.context, language.bos, language.prepend_bos, language.special)
    return Reader.of(language, saes, config.batch), shape
