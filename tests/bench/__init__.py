"""What the explorer and the intake cost on a large store: python -m tests.bench (make bench)."""
