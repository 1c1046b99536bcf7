"""The store: a folder with base.duckdb, parts and jobs. See `database` for how they are read as one."""
