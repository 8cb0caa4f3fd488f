"""What the store costs: loads and look-ups over both engines, at four layers of 131,072 features."""
