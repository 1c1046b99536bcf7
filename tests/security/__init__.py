"""Attacks through a store's folder, and faults of the process; docs/security.md lists them."""
