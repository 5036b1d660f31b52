"""What is found out about a model and images."""
