"""What every part of the project stands on and that knows none of them: files, locks, names."""
