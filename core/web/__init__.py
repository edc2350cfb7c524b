"""Web glue that any shop could use: transactions, security, assets, locale."""
