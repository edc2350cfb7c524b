"""Feeds: the catalogue as each channel wants to read it; one file per channel's columns."""
