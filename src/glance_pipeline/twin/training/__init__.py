"""How the networks learn: one engine, three stages, exact resume."""
