"""The recipe of the miniature experiment: one module a step, run by ``python -m sample_data.recipe``."""
