"""Tools for the documentation: generated reference pages and figures."""
