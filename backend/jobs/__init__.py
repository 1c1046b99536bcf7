"""Long work: a plan of what is to be done (`work`), its job in the store (`job`), the process that does it (`worker`).

There are two kinds: drawing samples (`plan`, `draw`; `resampling` is what a person asks for, `templates` the prompts)
and the log-probabilities of texts under a model (`logprob_plan`, `logprobs`).
"""
