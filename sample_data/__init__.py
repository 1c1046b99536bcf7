"""The miniature: problems, tiny models, their samples, and the recipe that made them."""
