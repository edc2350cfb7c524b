"""Claims about the shop, floor by floor."""
