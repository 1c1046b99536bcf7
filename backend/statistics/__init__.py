"""The paper's views of runs, one a module: they read, let `backend.metrics` count, and return records."""
