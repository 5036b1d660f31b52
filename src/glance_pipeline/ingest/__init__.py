"""A user's own images, labels and context tables, brought into the project's three datasets."""
