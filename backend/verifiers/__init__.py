"""Verifiers say what the text of a sample is worth."""
