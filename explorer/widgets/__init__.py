"""Widgets: records in, messages out; none of them asks the store."""
