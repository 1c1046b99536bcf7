"""What passk writes for others: one module a form, each a function that `registry.py` names."""
