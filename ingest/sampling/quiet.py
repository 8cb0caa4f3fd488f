"""Noise of the model libraries that tells a user nothing, held back while a job runs.

Only what is named here: the hint on how to load a model (it is followed), the notice that a short model name
has a longer form, the bars that count weights, and warnings about lengths that packing takes care of. The
hub's own download bars stay, since a download takes long.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_WARNINGS = (
    r"(?s).*model_from_pretrained_kwargs",
    r"(?s).*torch_dtype. is deprecated",
    r"(?s).*You are loading an SAE using the HuggingFace repo_id",
)
_RECORDS = ("DEPRECATED: You are using a deprecated, model_name alias",)


def _keep(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_RECORDS)


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back known noise of transformers, datasets, sae_lens and transformer_lens."""
    import datasets  # noqa: PLC0415  takes a second
    from transformers.utils import logging as transformers_logging  # noqa: PLC0415  takes seconds

    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    data_level = datasets.utils.logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
    datasets.utils.logging.set_verbosity_error()
    root = logging.getLogger()
    root.addFilter(_keep)
    try:
        with warnings.catch_warnings():
            for message in _WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        root.removeFilter(_keep)
        datasets.utils.logging.set_verbosity(data_level)
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # theirs
