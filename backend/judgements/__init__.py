"""Judgements of reasoning: written by persons and step checkers, never overwritten, and what they settle."""
