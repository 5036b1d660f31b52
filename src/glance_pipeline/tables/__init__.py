"""Tables of what is known of images: CSV and parquet files, read by stated rules."""

from glance_pipeline.tables.reading import TableReading, read_table

__all__ = ["TableReading", "read_table"]
