"""How much each concept contributes to an answer."""
