"""Pages of the catalog floor; nothing imports them but wsgi."""
