"""Tables of what is known of images: CSV and parquet files, read by stated rules."""

from glance_pipeline.tables.reading import Reading, read_table

__all__ = ["Reading", "read_table"]
