"""Claims about the livestream floor."""
