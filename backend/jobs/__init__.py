"""Drawing samples into a store: what to draw (`plan`), and drawing it (`draw`)."""
