"""What an explanation says in words, and what limits it."""
