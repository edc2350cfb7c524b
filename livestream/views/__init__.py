"""Pages of the livestream floor; nothing imports them but wsgi."""
