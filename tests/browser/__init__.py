"""Ways of people through the running shop, in a real browser."""
