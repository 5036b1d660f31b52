"""What Kedro and MLflow need around the work itself: hooks, tracking, lineage, rehearsal."""
