"""What neither a file nor the user says of a network's input and classes, found out by trying."""
