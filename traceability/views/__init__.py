"""Pages of the traceability floor; nothing imports them but wsgi."""
