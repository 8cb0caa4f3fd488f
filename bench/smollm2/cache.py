"""Where the bench keeps what it fetched and made."""

import argparse
from dataclasses import dataclass
from pathlib import Path

MODEL = "SmolLM2-135M-Instruct"
"""Name of the model, and of its directory: site ids begin with it."""


@dataclass(frozen=True)
class Cache:
    """The cache directory.

    Parameters
    ----------
    root
        The directory itself.
    """

    root: Path

    @property
    def packages(self) -> Path:
        """Python packages, installed apart from the environment."""
        return self.root / "packages"

    @property
    def archives(self) -> Path:
        """Archives with the texts, as the registry gave them."""
        return self.root / "archives"

    @property
    def model(self) -> Path:
        """The model, as ``save_pretrained`` writes it."""
        return self.root / MODEL

    @property
    def texts(self) -> Path:
        """One UTF-8 ``.txt`` file for each book and each speech."""
        return self.root / "texts"

    @property
    def saes(self) -> Path:
        """SAEs in SAELens' format, a directory for each hook; its name is part of the site's id."""
        return self.root / "prose"


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser that knows ``--cache``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument(
        "--cache",
        type=lambda text: Cache(Path(text).expanduser()),
        default=Cache(Path("~/.cache/stratigraph/smollm2").expanduser()),
        metavar="DIR",
        help="where everything is kept (default: ~/.cache/stratigraph/smollm2)",
    )
    return made
