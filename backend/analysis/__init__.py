"""What is asked of a store: curves and solve sets, intervals, uncertainty, the paper's views, perplexity, CoT.

Each function reads tallies or samples through a `Reader`, hands counts to `backend.estimators`, and returns frozen
records of `backend.records`. Nothing here knows a screen, a command or a file format; whoever shows or writes a result
starts from its record. One module a question, since that is what changes together.

Everywhere here `reader` is of the store that holds the runs, and `problems` are the keys of the only problems that
count, None for all.
"""
