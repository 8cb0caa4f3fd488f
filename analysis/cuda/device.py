"""Which device a request means."""

import torch

from analysis.errors import MisuseError


def chosen_device(asked: str) -> torch.device | None:
    """Return the GPU that `asked` means, None for the CPU's own kernels.

    Parameters
    ----------
    asked
        ``cpu``, ``cuda``, ``cuda:1`` and so on, or ``auto``: the first GPU where torch sees one.

    Raises
    ------
    MisuseError
        There is no such device here.
    """
    if asked == "cpu" or (asked == "auto" and not torch.cuda.is_available()):
        return None
    kind, _, number = asked.partition(":")
    if kind not in ("auto", "cuda") or (number and not number.isdecimal()) or (kind == "auto" and number):
        raise MisuseError(f"--device is {asked!r}; expected auto, cpu, cuda or cuda:NUMBER")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        raise MisuseError(f"--device is {asked!r}, and torch sees {count} CUDA devices; use --device cpu")
    return torch.device("cuda", int(number or 0))
