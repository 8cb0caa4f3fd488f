"""The language model: loaded as its SAEs were trained on it, and read at their hooks in one forward pass."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis.errors import MisuseError
from ingest.sampling.failure import told
from ingest.sampling.paths import files_of, looks_local
from ingest.sampling.untyped import Bridge, Tokenizer

DEFAULT_CONTEXT = 128
"""Context size where no SAE says what it was trained with: few SAEs saw less."""

_COMPATIBILITY = ("fold_ln", "center_writing_weights", "center_unembed", "fold_value_biases")
_NOT_OURS = ("device", "dtype", "torch_dtype", "n_devices", "device_map", "low_cpu_mem_usage")


@dataclass(frozen=True)
class Model:
    """A model ready to be read.

    Parameters
    ----------
    bridge
        The TransformerBridge, float32.
    tokenizer
        Its tokenizer.
    context
        Length of a row: the SAEs' context size, never past the model's own.
    bos
        Id of the token that stands between documents, None if the tokenizer has none.
    prepend_bos
        Whether a row starts with it.
    special : shape (largest id + 1,)
        Which ids are no text: BOS, EOS, padding and the like.
    """

    bridge: Bridge
    tokenizer: Tokenizer
    context: int
    bos: int | None
    prepend_bos: bool
    special: NDArray[np.bool_]

    @property
    def device(self) -> str:
        """Device the model lies on."""
        return str(self.bridge.cfg.device)


def pick_device(asked: str) -> str:
    """Resolve ``auto``; refuse ``cuda`` where there is none."""
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise MisuseError("--device cuda was asked for, and torch sees no GPU; use --device auto or cpu")
    return "cuda" if there and asked != "cpu" else "cpu"


def load(
    name: str,
    source: str,
    device: str,
    kwargs: dict[str, Any] | None,
    context: int | None,
    prepend_bos: bool | None,
) -> Model:
    """Load a model by name or from a directory, processed by the flags its SAEs were trained with.

    `context` and `prepend_bos` are what the SAEs say; None takes 128 tokens (the model's own limit, if that
    is less) and True.

    Raises
    ------
    MisuseError
        There is no such model, or the SAEs ask for processing this program does not know.
    StratigraphError
        It could not be fetched.
    """
    from transformer_lens.model_bridge import TransformerBridge  # noqa: PLC0415  takes seconds

    if looks_local(source) and not files_of(source):
        raise MisuseError(
            f"--model {name!r} is no directory; expected one saved by save_pretrained, or a name"
        )
    flags = {k: v for k, v in (kwargs or {}).items() if k not in _NOT_OURS}
    processing = {flag: bool(flags.pop(flag, False)) for flag in _COMPATIBILITY}
    n_ctx = flags.pop("n_ctx", None)
    if any(flags.values()):
        raise MisuseError(
            f"the SAEs were trained on a model loaded with {flags}; expected only {_COMPATIBILITY}"
        )
    with told(f"model {name!r}", "--model"):
        bridge = TransformerBridge.boot_transformers(source, device=device, dtype=torch.float32, n_ctx=n_ctx)
        if any(processing.values()):
            bridge.enable_compatibility_mode(disable_warnings=True, **processing)
    bridge.eval().requires_grad_(False)
    tokenizer = bridge.tokenizer
    limit = getattr(bridge.cfg, "n_ctx", None) or DEFAULT_CONTEXT
    return Model(
        bridge=bridge,
        tokenizer=tokenizer,
        context=min(context or DEFAULT_CONTEXT, limit),
        bos=tokenizer.bos_token_id,
        prepend_bos=prepend_bos is not False and tokenizer.bos_token_id is not None,
        special=special_ids(tokenizer),
    )


def special_ids(tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Mark the ids that stand for no text, shape (largest id + 1,)."""
    ids = set(tokenizer.all_special_ids)
    ids |= {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    mask = np.zeros(max(len(tokenizer), max(ids, default=0) + 1), np.bool_)
    mask[sorted(ids)] = True
    return mask


def check_hooks(model: Model, hooks: list[str]) -> None:
    """Refuse hooks that the model does not have."""
    known = set(model.bridge.hook_dict)
    for hook in hooks:
        if hook not in known:
            raise MisuseError(
                f"the SAE reads {hook!r}, which the model does not have "
                f"(it has {model.bridge.cfg.n_layers} blocks); check that --model and --sae belong together"
            )


@torch.inference_mode()
def residuals(
    model: Model,
    tokens: torch.Tensor,
    hooks: list[str],
    change: tuple[str, Callable[[torch.Tensor], torch.Tensor]] | None = None,
) -> dict[str, torch.Tensor]:
    """Run full rows of token ids and return what passes each hook, shape (rows, context, ...).

    The pass stops at the last hook, before the blocks and the unembedding that nobody reads. With `change`, a
    hook and a function, what passes there goes on as the function returns it.
    """
    from transformer_lens.model_bridge.exceptions import StopAtLayerException  # noqa: PLC0415  takes seconds

    found: dict[str, torch.Tensor] = {}

    def catcher(name: str) -> Callable[..., None]:
        def catch(tensor: torch.Tensor, hook: object) -> None:  # noqa: ARG001  the library's signature
            found[name] = tensor
            if len(found) == len(hooks):
                raise StopAtLayerException(tensor)

        return catch

    changes = [] if change is None else [(change[0], _changer(change[1]))]
    with model.bridge.hooks(fwd_hooks=[*changes, *((hook, catcher(hook)) for hook in hooks)]):
        model.bridge(tokens.to(model.device), return_type=None)
    missing = [hook for hook in hooks if hook not in found]
    if missing:
        raise MisuseError(
            f"nothing passed the hook {missing[0]!r}; check that --model and --sae belong together"
        )
    return found


def _changer(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return a function as the library calls it."""

    def changed(tensor: torch.Tensor, hook: object) -> torch.Tensor:  # noqa: ARG001  the library's signature
        return change(tensor)

    return changed
