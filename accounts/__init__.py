"""Who you are, how you log in, and who did what."""
