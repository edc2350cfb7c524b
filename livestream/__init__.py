"""Selling live: shows, claims, and the feeds that channels fetch."""
