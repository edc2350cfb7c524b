"""Pages of the shop floor; nothing imports them but wsgi."""
