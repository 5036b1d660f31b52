"""The stages of the chain, each a Kedro pipeline with thin nodes."""
