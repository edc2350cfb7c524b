"""Claims about the core floor."""
