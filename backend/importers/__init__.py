"""Importers: one module for each format of result files, `intake` that writes what they read as a part."""
