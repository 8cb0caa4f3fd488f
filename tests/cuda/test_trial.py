import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from analysis.activations import Columns
from analysis.cuda.trial import trial_on, trials_on
from analysis.edges import Edges
from analysis.nodewise import PathSettings
from analysis.published import PublishedSettings, published_trial
from analysis.shuffle import shuffled
from analysis.trial import Trial
from tests.cuda.activity import SHAPES, columns_from, factors, noise

SETTINGS = PublishedSettings(PathSettings(steps=8), candidates=10)


def weights(edges: Edges) -> dict[tuple[int, int], float]:
    pairs = zip(edges.source.tolist(), edges.target.tolist(), strict=True)
    return dict(zip(pairs, edges.weight.tolist(), strict=True))


def same_bytes(a: Trial, b: Trial) -> bool:
    names = ("source", "target", "weight", "correlation")
    return a.counts == b.counts and all(
        getattr(a.edges, name).tobytes() == getattr(b.edges, name).tobytes() for name in names
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tune", ["ebic", "cv"])
def test_a_trial_has_the_edges_of_the_cpu(shape: str, tune: str, device: torch.device) -> None:
    columns = columns_from(SHAPES[shape]())
    settings = PublishedSettings(PathSettings(tune, steps=8), candidates=5)
    trial = trial_on(device, columns, settings, 1 << 28)
    cpu = published_trial(columns, settings)
    twin, ours = weights(cpu.edges), weights(trial.edges)
    assert ours.keys() == twin.keys()
    assert len(ours) > 0
    np.testing.assert_allclose(list(ours.values()), [twin[pair] for pair in ours], rtol=0, atol=1e-6)
    assert trial.counts == cpu.counts
    assert trial.certificate.keys() == cpu.certificate.keys()
    assert tune == "cv" or trial.certificate["not_converged"] == 0


def test_a_trial_repeats_to_the_byte(device: torch.device) -> None:
    columns = columns_from(factors(2, 400, 40))
    one = trial_on(device, columns, SETTINGS, 1 << 28)
    assert same_bytes(one, trial_on(device, columns, SETTINGS, 1 << 28))
    assert same_bytes(one, trial_on(device, columns, SETTINGS, 1 << 20))


@pytest.mark.parametrize("tune", ["ebic", "cv"])
def test_trials_in_a_row_are_the_trials_one_by_one(tune: str, device: torch.device) -> None:
    columns = columns_from(factors(3, 300, 30))
    settings = PublishedSettings(PathSettings(tune, steps=5), candidates=6)

    def source(stream: int) -> Columns:
        return shuffled(columns, 0, 0, stream) if stream else columns

    trials = list(trials_on(device, [lambda s=s: source(s) for s in range(3)], settings, 1 << 28))  # type: ignore[misc]  # mypy does not infer a default's type
    assert len(trials) == 3
    assert len(trials[0].edges.source) > len(trials[1].edges.source)
    for stream, trial in enumerate(trials):
        assert same_bytes(trial, trial_on(device, source(stream), settings, 1 << 28))
    assert list(trials_on(device, [], settings)) == []


def test_what_a_source_raises_is_raised_by_the_trials(device: torch.device) -> None:
    def broken() -> Columns:
        raise OSError("the disk is gone")

    columns = columns_from(factors(3, 100, 8))
    found = trials_on(device, [lambda: columns, broken], SETTINGS)
    next(found)
    with pytest.raises(OSError, match="the disk is gone"):
        next(found)


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it so
    """The most bytes that any one operation gave."""

    most = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            self.most = max(self.most, out.numel() * out.element_size())
        return out


def test_no_array_is_larger_than_the_memory_asked_for() -> None:
    columns = columns_from(noise(1, 200, 500))
    device = torch.device("cpu")
    for memory in (400_000, 4_000_000):
        with Largest() as seen:  # type: ignore[no-untyped-call]  # likewise
            trial_on(device, columns, PublishedSettings(PathSettings(steps=3), candidates=8), memory)
        assert 0 < seen.most <= max(memory, 8 * len(columns.token))


def test_the_memory_asked_for_is_kept_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device; its allocator is what counts the bytes")
    device = torch.device("cuda")
    columns = columns_from(noise(1, 3000, 3000))
    for memory in (64 << 20, 256 << 20):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        trial_on(device, columns, PublishedSettings(PathSettings(steps=5)), memory)
        assert torch.cuda.max_memory_allocated() - before <= memory + 72 * len(columns.token)
