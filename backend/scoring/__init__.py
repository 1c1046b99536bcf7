"""Scoring stored texts under a model: what is to be scored (`plan`), scoring it (`score`), its results (`reads`)."""
