"""How the files under ``conf/``, and paths in them, are read."""
