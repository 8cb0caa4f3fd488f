"""The model's weights as Hugging Face keeps them, taken out of their four bits once and kept in the cache."""

import shutil
from pathlib import Path

from analysis.errors import StratigraphError
from ingest.sampling.quiet import quiet


def convert(gguf: Path, directory: Path) -> None:
    """Write model and tokenizer, float32, in the form of `save_pretrained`; all of it or nothing.

    Raises
    ------
    StratigraphError
        The package that reads the file's format is missing.
    """
    try:
        import gguf as reader  # noqa: PLC0415  only this needs it
    except ImportError:
        raise StratigraphError(
            f"{gguf.name} is read by the package gguf, which is not there; pip install 'stratigraph[smollm2]'"
        ) from None
    assert reader
    part = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    with quiet():
        _convert(gguf, part)
    part.rename(directory)


def _convert(gguf: Path, part: Path) -> None:
    import torch  # noqa: PLC0415  takes seconds
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  takes seconds

    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    packed = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    config = type(packed.config).from_dict(
        {k: v for k, v in packed.config.to_dict().items() if k != "quantization_config"}
    )
    model = type(packed)(config)
    model.load_state_dict(packed.state_dict())
    model.tie_weights()
    model.save_pretrained(part)
    AutoTokenizer.from_pretrained(**where).save_pretrained(part)
