"""Fixtures: a tiny model with SAEs and a corpus on disk, and one finished sampling job over them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.config import Config

from ingest.sampling import SampleConfig, sample


def pytest_configure(config: Config) -> None:
    """Let pass what third-party packages warn of when they are imported."""
    for line in (
        "ignore:.*torch.jit.script.* is deprecated:DeprecationWarning",
        "ignore:The 'utils' module has been deprecated:DeprecationWarning",
        "ignore:.*SwigPy.* has no __module__ attribute:DeprecationWarning",
        r"ignore:(?s).*model_from_pretrained_kwargs:UserWarning",
    ):
        config.addinivalue_line("filterwarnings", line)


@dataclass(frozen=True)
class Tiny:
    """Paths of the tiny model, its SAEs and its corpus."""

    root: Path
    model: Path
    saes: Path
    corpus: Path

    def config(self, out: Path, **changes: object) -> SampleConfig:
        """Make a small job over them."""
        settings: dict[str, object] = {
            "model": str(self.model),
            "sae": str(self.saes),
            "corpus": str(self.corpus),
            "out": out,
            "activations": 20,
            "replicates": 3,
            **changes,
        }
        return SampleConfig(**settings)  # type: ignore[arg-type]  # the values are as various as the fields


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    from tests.sampling.tiny import make_corpus, make_model, make_saes

    root = tmp_path_factory.mktemp("tiny")
    return Tiny(
        root, make_model(root / "model"), make_saes(root / "saes"), make_corpus(root / "corpus.jsonl")
    )


@pytest.fixture(scope="session")
def sampled(tiny: Tiny) -> Path:
    """Directory of a finished job with the default configuration."""
    out = tiny.root / "sampled"
    sample(tiny.config(out))
    return out
