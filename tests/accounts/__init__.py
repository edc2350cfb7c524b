"""Claims about the accounts floor."""
