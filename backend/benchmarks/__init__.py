"""Benchmarks to sample from: problems read through the package datasets (`source`), and put into a store (`add`)."""
