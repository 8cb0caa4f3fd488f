"""The whole story on the built-in small model: sample, infer, load, read, ask."""
