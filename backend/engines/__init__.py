"""Engines draw samples from models; each is imported only when it is chosen."""
