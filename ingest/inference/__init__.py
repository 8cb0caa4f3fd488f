"""From a samples directory to a graph directory: trials, their stability, and what the features fire on."""

from ingest.inference.config import InferConfig, Resources
from ingest.inference.job import infer

__all__ = ["InferConfig", "Resources", "infer"]
