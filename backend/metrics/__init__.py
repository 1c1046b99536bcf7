"""Pure functions on counts: no store, no files, no screen."""
