"""Claims about codes, scans, printed addresses and the diary of a lot."""
