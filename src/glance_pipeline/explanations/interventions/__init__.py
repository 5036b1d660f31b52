"""What becomes of an image when concepts are set."""
