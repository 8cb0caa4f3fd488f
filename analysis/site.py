"""A site: where features live, namely one SAE at one hook of one model."""

from dataclasses import dataclass
from typing import Any

from analysis.errors import DataError


@dataclass(frozen=True)
class Site:
    """One SAE at one hook of one model.

    Parameters
    ----------
    model
        Name of the model, e.g. ``gpt2-small``.
    source
        Name of the SAE within the model, e.g. ``8-res-jb`` (the Neuronpedia source where there is one).
    layer
        Block of the hook. Where one release has a resid_pre and a resid_post of the same block, the latter
        counts as the next one's.
    hook
        Name of the hook point, e.g. ``blocks.8.hook_resid_pre``; empty if unknown.
    release, sae_id
        SAELens release and id the dictionary came from; empty if unknown.
    neuronpedia
        ``model/source`` on Neuronpedia when it is known from the registry, else empty. Never derived by rule.
    """

    model: str
    source: str
    layer: int
    hook: str = ""
    release: str = ""
    sae_id: str = ""
    neuronpedia: str = ""

    def __post_init__(self) -> None:
        if not self.model or not self.source:
            raise DataError(f"site has model {self.model!r}, source {self.source!r}; both must be non-empty")
        if "/" in self.source:
            raise DataError(f"site source {self.source!r} holds a '/', which separates the parts of an id")
        if self.layer < 0:
            raise DataError(f"site layer is {self.layer}; expected 0 or more")

    @property
    def id(self) -> str:
        """``model/source``, the key of the site in the database."""
        return f"{self.model}/{self.source}"

    def feature_id(self, index: int) -> str:
        """``model/source/index``, the key of a feature in the database."""
        return f"{self.id}/{index}"

    def to_json(self) -> dict[str, Any]:
        """Return the site as the ``site`` object of ``samples.json`` and ``graph.json``."""
        return {
            "model": self.model,
            "source": self.source,
            "layer": self.layer,
            "hook": self.hook,
            "release": self.release,
            "sae_id": self.sae_id,
            "neuronpedia": self.neuronpedia,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> "Site":
        """Read a ``site`` object; `where` names the file in the error.

        Raises
        ------
        DataError
            A required key is missing or has another type.
        """
        if not isinstance(value, dict):
            raise DataError(f"{where}: site is {value!r}; expected an object with model, source and layer")
        for key, kind in (("model", str), ("source", str), ("layer", int)):
            if not isinstance(value.get(key), kind) or isinstance(value.get(key), bool):
                raise DataError(f"{where}: site.{key} is {value.get(key)!r}; expected {kind.__name__}")
        optional = {k: str(value.get(k) or "") for k in ("hook", "release", "sae_id", "neuronpedia")}
        return cls(value["model"], value["source"], value["layer"], **optional)
