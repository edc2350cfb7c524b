"""Core knows no farmer, jar, order or user: anything here could serve another shop tomorrow."""
