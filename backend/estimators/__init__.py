"""Pure functions on counts: pass@k, intervals, solve sets, mixing distributions, uncertainty, allocation.

They take arrays of (n, c) and return numbers or arrays; they read no store and know no run. Every formula names its
source. Kept apart from `backend.analysis` so that each can be tested against exact integers, and used without a store.
"""
