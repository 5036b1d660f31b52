"""What the user says to ``glance init``, and what the terminal shows."""
