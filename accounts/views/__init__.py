"""Pages of the accounts floor; nothing imports them but wsgi."""
