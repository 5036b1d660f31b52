"""Teachers: what the user's classifier takes and says, and one reader for each form it comes in."""
