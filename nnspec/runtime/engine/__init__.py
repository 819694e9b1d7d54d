"""Typed tables and queries by DuckDB: what their types mean (`types`), and how it is locked down (`query`)."""
