"""Claims about the catalog floor."""
