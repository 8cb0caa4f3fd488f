import pytest
import torch

from analysis.cuda.device import chosen_device
from analysis.errors import MisuseError


def test_cpu_means_the_kernels_of_the_cpu() -> None:
    assert chosen_device("cpu") is None


def test_auto_is_the_first_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert chosen_device("auto") == torch.device("cuda", 0)
    assert chosen_device("cuda") == torch.device("cuda", 0)
    assert chosen_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(MisuseError, match="sees 2 CUDA devices"):
        chosen_device("cuda:2")


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MisuseError, match="sees 0 CUDA devices; use --device cpu"):
        chosen_device("cuda")
    for asked in ("gpu", "cuda:", "cuda:x", "auto:1", "mps", ""):
        with pytest.raises(MisuseError, match=r"expected auto, cpu, cuda or cuda:NUMBER|sees 0"):
            chosen_device(asked)
