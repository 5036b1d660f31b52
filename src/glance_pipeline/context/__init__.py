"""What is known of images: a table of features and labels, joined to them."""
