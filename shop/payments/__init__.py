"""Ways to pay: one file per way."""
