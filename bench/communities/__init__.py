"""What communities find on the built-in small model, and what they cost at size."""
