"""Planted activations whose dependence graph is known exactly, and what a procedure makes of them."""
