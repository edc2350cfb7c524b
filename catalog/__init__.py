"""What is sold, where it comes from and who makes it."""
