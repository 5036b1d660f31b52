"""The basis of the concept code: standardised context features, and the change to them."""
