"""Checks drawing on a GPU as a user would have it, and measures it: `make gpu`, or `python -m tests.gpu`.

What can be is done through the command line and worker processes; the engine is the product's own throughout. With
`--device cpu --small` the same runs in a minute without a GPU, as test_gpu_check.py does.
"""
