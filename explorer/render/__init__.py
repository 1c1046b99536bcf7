"""Pure functions from records to text and `Content`: no widget, no store."""
