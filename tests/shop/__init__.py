"""Claims about the shop floor."""
