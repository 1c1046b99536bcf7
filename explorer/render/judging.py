"""What a language model is to judge, in words, for the command and the dialog."""

from __future__ import annotations

from backend import JudgeRequest
from backend.wording import compact, count, with_noun


def judging_in_words(request: JudgeRequest) -> list[str]:
    """How much it is, what it may cost, who judges, and what is left out."""
    plan, estimate = request.plan, request.estimate
    done = f" ({count(request.judged_already)} have their votes already)" if request.judged_already else ""
    if not plan.samples:
        return [f"Nothing is left to judge{done}.", *request.remarks]
    votes = f"{with_noun(plan.votes, 'vote')} each"
    lines = [
        f"{with_noun(estimate.paths, 'path')} of {with_noun(len(plan.problems), 'problem')}{done}, {votes}: "
        f"{with_noun(estimate.prompts, 'prompt')}",
        f"{compact(estimate.tokens_in)} tokens in ({estimate.characters_per_token:.1f} characters a token, "
        f"{'as in the samples' if estimate.measured else 'a usual figure'}), {_tokens_out(request)}",
    ]
    if estimate.price is not None:
        bound = "at most " if estimate.tokens_out is None else "about "
        lines.append(f"{bound}{estimate.price:,.2f} at the prices of config.toml")
    else:
        lines.append(f"price unknown: [prices] of config.toml has none of {plan.judge.model}")
    form = "as a chat message" if plan.judge.chat else "as plain text, without a chat template"
    lines.append(
        f"judge {plan.judge.author} {plan.judge.version}, engine {request.engine.name}; the prompt goes {form}; "
        f"rule: {plan.rule}"
    )
    return [*lines, *request.remarks]


def _tokens_out(request: JudgeRequest) -> str:
    estimate = request.estimate
    most = f"at most {compact(estimate.tokens_out_most)} out"
    if estimate.tokens_out is None:
        return f"{most} (this judge has not answered here yet)"
    return f"about {compact(estimate.tokens_out)} out by its answers so far, {most}"
