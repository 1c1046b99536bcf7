"""Importers: one module for each format of result files, `session` that writes what they read as a part."""
