"""Where in the picture the concepts act on the answer."""
