"""One run of Kedro as one run of MLflow."""
