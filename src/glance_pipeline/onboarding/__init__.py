"""``kedro glance init``: a user's model and images looked at, and a configuration of their own."""
