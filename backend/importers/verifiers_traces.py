"""`traces.jsonl` of the library verifiers from v1 on: a line an episode, which holds a trace of every agent.

A trace is a graph of messages: each names its predecessor, and those that the model said are marked as sampled. Older
files have the trace itself on the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from backend.importers.blocks import FAILED, BlockBuilder, about_answers, sampling_parameters
from backend.importers.chat import THINKING, message_text, prompt_text, turn_text, whole_prompt
from backend.importers.prompts import question_of
from backend.importers.protocol import Block, Counts, Notes, Options, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import (
    as_mapping,
    as_text,
    count,
    figure,
    json_lines,
    kind_of_value,
    parse_correct,
    refine_verdict,
    shortened,
    steps_named,
)
from backend.importers.verifiers_results import PARAMETERS

REFERENCES = ("answer", "solution", "ground_truth", "reference")
AT_A_LIMIT = {"max_turns", "max_input_tokens", "max_output_tokens", "max_total_tokens", "compaction_failed"}
"""Stop conditions that verifiers itself counts as truncated."""
STEP = re.compile(rb'"work"\s*:\s*\{[^{}]{0,200}?"step"\s*:\s*(\d{1,9})\s*[,}]')
"""A quote inside a JSON string has a backslash before it, so that no text of a model can look like this."""


class VerifiersTraces:
    name = "verifiers-traces"
    title = "verifiers traces jsonl (v1)"
    columns: ClassVar[dict[str, str]] = {
        "task": "statement, reference", "env": "benchmark", "run": "step",
        "traces": "text, verdict, tokens, detail", "nodes": "text", "rewards": "verdict",
        "agent": "model and parameters", "errors": "not judged",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A task, and traces or the nodes of one, in the first line."""
        first = source.first_object or {}
        return isinstance(first.get("task"), dict) and (
            isinstance(first.get("traces"), list) or (isinstance(first.get("nodes"), list) and "rewards" in first)
        )

    def training_steps(self, source: SourceFile) -> set[int]:
        """The training steps that the file holds samples of."""
        return steps_named(source, b'"work"', STEP)

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """A sample a trace of the agent that is trained, or evaluated; what it said is joined along the last branch."""
        builder = BlockBuilder("texts", "details", "finish_reasons", "tokens")
        facts: dict[RunFacts, RunFacts] = {}
        used: dict[tuple[str, ...], str | None] = {}
        player: str | None = None
        before: tuple[Any, ...] = ()
        run: RunFacts | None = None
        for row, episode in json_lines(source):
            for trace in self._traces(source, row, episode, notes):
                agent = as_mapping(trace.get("agent"))
                name = as_text(agent.get("name")) or "agent"
                if agent.get("trainable") is False or name != (player := player or name):
                    notes.add(f"traces of another agent, left out: {name}")
                    continue
                here = agent.get("config"), episode.get("env"), episode.get("run")
                if run is None or here != before:
                    before, run = here, self._facts(source, row, episode, agent)
                    run = facts.setdefault(run, run)
                rewards = as_mapping(trace.get("rewards"))
                names = tuple(rewards)
                if names and names not in used:
                    used[names] = about_answers(source, names, options, notes)
                said, tokens = self._said(source, row, trace, notes)
                reason = self._reason(trace)
                correct = self._correct(source, row, rewards, used.get(names), notes)
                failed = bool(trace.get("errors") or trace.get("error"))
                if failed and correct is False:
                    notes.add(FAILED)
                    correct = None
                verdict = refine_verdict(correct, None, reason, False)
                data = as_mapping(as_mapping(trace.get("task") or episode.get("task")).get("data"))
                statement = prompt_text(data.get("prompt")) or self._first_asked(trace)
                known = as_text(data.get("name")) or as_text(data.get("idx"))
                if not statement and not known:
                    raise input_error(source, row, "neither a prompt nor a name or idx of the task")
                problem = builder.problem(
                    statement or f"id {known}",
                    name=known,
                    statement=statement and question_of(statement),
                    reference=self._reference(data),
                    prompt=whole_prompt(data.get("prompt")),
                )
                detail = self._detail(trace, rewards, used.get(names))
                builder.add(run, problem, row, verdict, said, detail, reason, tokens)
            if builder.full:
                yield from builder.flush()
        yield from builder.flush()

    @staticmethod
    def _traces(source: SourceFile, row: int, episode: Mapping[str, Any], notes: Notes) -> list[Mapping[str, Any]]:
        traces = episode.get("traces", [episode] if "nodes" in episode else None)
        if not isinstance(traces, list) or not all(isinstance(trace, dict) for trace in traces):
            raise input_error(source, row, f"field traces: expected a list of objects, found {kind_of_value(traces)}")
        if not traces:
            notes.add("episodes that failed before there was a trace, left out")
        return traces

    @staticmethod
    def _facts(source: SourceFile, row: int, episode: Mapping[str, Any], agent: Mapping[str, Any]) -> RunFacts:
        config = as_mapping(agent.get("config"))
        model = config.get("model")
        benchmark = as_mapping(episode.get("env")).get("id")
        work = as_mapping(as_mapping(episode.get("run")).get("work"))
        try:
            step = None if work.get("step") is None else count(work["step"])
        except (ValueError, TypeError, OverflowError):
            raise input_error(
                source, row, f"field run.work.step: {shortened(work['step'])} is no training step"
            ) from None
        return RunFacts(
            model=model if isinstance(model, str) and model else None,
            benchmark=benchmark if isinstance(benchmark, str) and benchmark else None,
            step=step,
            parameters=sampling_parameters(as_mapping(config.get("sampling")), PARAMETERS),
            checkpoint=step is not None,
        )

    @staticmethod
    def _said(source: SourceFile, row: int, trace: Mapping[str, Any], notes: Notes) -> tuple[str | None, int | None]:
        """What the model said on the last branch, and how many tokens it drew in all."""
        nodes = trace.get("nodes", [])
        if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
            raise input_error(source, row, f"field nodes: expected a list of objects, found {kind_of_value(nodes)}")
        said: list[str] = []
        passed = 0
        at: Any = len(nodes) - 1 if nodes else None
        while at is not None:
            node = nodes[at]
            message = as_mapping(node.get("message"))
            if node.get("sampled") is True and message.get("role") == "assistant":
                text, thought = message_text(message)
                if thought:
                    notes.add(THINKING)
                if text:
                    said.append(text)
            elif said and message.get("role") == "tool" and (answer := message_text(message)[0]) is not None:
                said.append(turn_text("tool", answer))
            before = node.get("parent")
            if before is not None and not (type(before) is int and 0 <= before < at):
                raise input_error(source, row, f"field nodes: node {at} has the predecessor {shortened(before)}")
            at, passed = before, passed + 1
        if passed < len(nodes):
            notes.add("traces that branch: the text is the last branch")
        calls = trace.get("calls")
        calls = calls if isinstance(calls, list) else []
        drawn = [as_mapping(as_mapping(call).get("usage")).get("completion_tokens") for call in calls]
        known = [n for n in drawn if type(n) is int and 0 <= n < 2**31]
        tokens = sum(known) if known and len(known) == len(drawn) else None
        return "\n\n".join(reversed(said)) or None, tokens if tokens is None or tokens < 2**31 else None

    @staticmethod
    def _first_asked(trace: Mapping[str, Any]) -> str | None:
        """The first message of the user, for tasks whose prompt is not recorded."""
        messages = (as_mapping(node.get("message")) for node in trace.get("nodes", ()))
        return next((prompt_text([message]) for message in messages if message.get("role") == "user"), None)

    @staticmethod
    def _reason(trace: Mapping[str, Any]) -> str | None:
        stopped = trace.get("stop_condition")
        calls = trace.get("calls")
        last = as_mapping(calls[-1]) if isinstance(calls, list) and calls else {}
        reason = last.get("finish_reason")
        if (isinstance(stopped, str) and stopped in AT_A_LIMIT) or reason == "length":
            return "length"
        return reason if isinstance(reason, str) else as_text(stopped)

    @staticmethod
    def _correct(
        source: SourceFile, row: int, rewards: Mapping[str, Any], used: str | None, notes: Notes
    ) -> bool | None:
        """What the reward says; a score is right from 1 on, whatever its weight. None: it was not given."""
        reward = rewards.get(used) if used is not None else None
        score = reward.get("score") if isinstance(reward, dict) else reward
        if score is None or score != score:
            return None
        if not isinstance(score, int | float):
            raise input_error(source, row, f"field rewards.{used}: expected a number, found {kind_of_value(score)}")
        if 0 < score < 1:
            notes.add("samples with a reward between 0 and 1, which is not correct")
        return parse_correct(score, source.correct_at)

    @staticmethod
    def _reference(data: Mapping[str, Any]) -> str | None:
        return next((as_text(data[name]) for name in REFERENCES if isinstance(data.get(name), str | int | float)), None)

    @staticmethod
    def _detail(trace: Mapping[str, Any], rewards: Mapping[str, Any], used: str | None) -> str | None:
        """The last error, the other rewards and every metric."""
        errors = trace.get("errors")
        last: Any = errors[-1] if isinstance(errors, Sequence) and errors else None
        said = [f"error: {as_text(as_mapping(last).get('message', last))}"] if last is not None else []
        scores = {name: as_mapping(reward).get("score", reward) for name, reward in rewards.items() if name != used}
        for name, value in {**scores, **as_mapping(trace.get("metrics"))}.items():
            if isinstance(value, int | float):
                said.append(f"{name}={figure(value)}")
        return ", ".join(said) or None


importer = VerifiersTraces()
