"""Goods from spreadsheets and into them: columns, lines, runs in the background, files to take."""
