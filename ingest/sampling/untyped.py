"""Names for objects of libraries whose types are not followed, so that signatures still speak."""

from typing import Any, TypeAlias

Sae: TypeAlias = Any
"""``sae_lens.SAE``."""
Metadata: TypeAlias = Any
"""``SAEMetadata`` of sae_lens: an absent entry reads as None."""
Bridge: TypeAlias = Any
"""``transformer_lens.model_bridge.TransformerBridge``."""
Tokenizer: TypeAlias = Any
"""A Hugging Face tokenizer."""
RegistryEntry: TypeAlias = Any
"""``PretrainedSAELookup`` of sae_lens."""
Json: TypeAlias = Any
"""A value read from JSON or from a record of a dataset."""
