"""Questions out of rendered prompts: the template that a model was asked through is no part of a problem.

What is known comes off every prompt by itself: chat markers, roles, examples before the question, requests for a boxed
answer. Of a format that is not known comes off what all prompts of a file begin and end with, in whole lines or up to a
label or marker; never where that would make two questions one. The whole prompt is kept beside the problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from backend.importers.chat import prompt_text
from backend.importers.protocol import Notes
from backend.importers.source import SourceFile, read_lines

# Turns of a chat, as templates write them. Each pattern has a role and a text.

_ROLE = r"(?P<role>\w+)"
TURNS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"<\|im_start\|>\s*{_ROLE}\n(?P<text>.*?)(?=<\|im_end\|>|<\|im_start\|>|\Z)",
        rf"<\|start_header_id\|>\s*{_ROLE}\s*<\|end_header_id\|>(?P<text>.*?)(?=<\|eot_id\|>|<\|start_header_id\|>|\Z)",
        rf"<start_of_turn>\s*{_ROLE}\n(?P<text>.*?)(?=<end_of_turn>|<start_of_turn>|\Z)",
        rf"<\|start\|>{_ROLE}(?:<\|channel\|>\w+)?<\|message\|>(?P<text>.*?)(?=<\|end\|>|<\|start\|>|\Z)",
        rf"<\|START_OF_TURN_TOKEN\|><\|{_ROLE}_TOKEN\|>(?P<text>.*?)(?=<\|END_OF_TURN_TOKEN\|>|\Z)",
        r"<[|｜](?P<role>User|Assistant|System)[|｜]>(?P<text>.*?)(?=<[|｜]|\Z)",
        r"<\|(?P<role>system|user|assistant|observation)\|>(?P<text>.*?)(?=<\|\w+\|>|</s>|\Z)",
        r"(?P<role>\[INST\])(?P<text>.*?)(?=\[/INST\]|\Z)",
        r"(?:^|\n)### ?(?P<role>Instruction|Question|Problem|Human|User|Response|Answer|Solution|Assistant|Input)\b:?"
        r"(?:\s|\Z)(?P<text>.*?)(?=\n### ?[A-Z]|\Z)",
    )
)
ASKING = {"user", "human", "[inst]", "instruction", "question", "problem", "input"}
_SYSTEM = re.compile(r"\A\s*<<SYS>>.*?<</SYS>>\s*", re.DOTALL)
SPECIAL = re.compile(r"\A(?:\s*(?:<s>|<bos>|<\|begin_of_text\|>|<[|｜]begin▁of▁sentence[|｜]>|\[gMASK\]|<sop>))+")

# Markers that were skipped when the prompt was decoded leave their roles behind, as verl writes them.
BARE_END = re.compile(r"(?:assistant|model)\s*(?:[^\n]{0,80}\n?\s*<think>\s*)?\Z")
BARE_USER = re.compile(r"(?:\A|\n|(?<=[^\sA-Za-z]))user\n+")
LATER_TURN = re.compile(r"(?:\n|(?<=[^\w\s]))(?:assistant|model)\n.*?(?:\n|(?<=[^\w\s]))user\n", re.DOTALL)
# What stands between a question and its answer in dialogues in words (R1-Zero's among them) and after examples: how it
# ends, and how the question begins.
WORDED = (
    (
        re.compile(r"(?:\s|(?<=[.?!]))(?:Assistant|ASSISTANT)\s?:[^\n]{0,80}\n?\s*(?:<think>\s*)?\Z"),
        re.compile(r"(?:\A|\s)(?:User|Human|USER)\s?:\s*"),
    ),
    (
        re.compile(r"\n\s*(?:A|Answer|Solution)\s?:[^\n]{0,60}\Z"),
        re.compile(r"(?:\A|\n)(?:Q|Question|Problem)\s?:\s*"),
    ),
)
TAIL = 200
"""Characters in which such an end is looked for."""

# Requests about the form of the answer, at either end of a question.

REQUEST = re.compile(
    r"\\boxed\s*\{\s*\}|step[- ]by[- ]step|</?answer>|</?think>|####|put your (?:final )?answer"
    r"|final answer (?:with|in|after|on)|last line of your response|own line after|without quotes",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"\n|(?<=[.?!:)}$])[ \t]+")
"""Where a sentence may end."""
LEAD = re.compile(
    r"\A(?:(?:solve|answer) the following|you are an? |please (?:reason|think|answer|solve)|below is an instruction)"
    r"[^\n?\d]*[.:]\s*\n+",
    re.IGNORECASE,
)

_MARKER = r"<{1,3}/?[A-Za-z_|｜][\w|｜-]{0,40}>{1,3}|\[{1,2}/?[A-Z_]{2,20}\]{1,2}|(?<![^\n])#+ ?\w+:?\n"
LABEL = re.compile(
    r"(?:\A|(?<=\s))(?:#+ ?)?(?:\*\*)?(?:user|human|question|q|problem|input|instruction|prompt|task|query)\s?:"
    rf"(?:\*\*)?\s+|(?:{_MARKER})\s*",
    re.IGNORECASE,
)
"""What a template may end with right before the question."""
LABEL_AFTER = re.compile(
    r"\s*(?:(?:#+ ?)?(?:\*\*)?(?:assistant|answer|a|solution|output|response)\s?:|" + _MARKER + ")", re.IGNORECASE
)
"""What a template may begin with right after the question."""

FEWEST = 3
"""Prompts that must share whole lines before these are taken for a template."""
LOOKED_AT = 256
"""Prompts of a file that are compared."""
PLACES = 24
"""Places of a large file where one of them is looked for."""


def last_question(prompt: str) -> str:
    """What a prompt asks, without chat markers, roles and examples that are known; else the prompt itself."""
    text = SPECIAL.sub("", prompt)
    for pattern in TURNS if "<" in text or "[INST]" in text or "###" in text else ():
        turns = [(found["role"].lower(), found["text"]) for found in pattern.finditer(text)]
        asked = [place for place, (role, _) in enumerate(turns) if role in ASKING]
        if asked and (len(turns) > 1 or text.lstrip().startswith(("<", "["))):
            last = asked[-1]
            first = last - 1 if last and (turns[last - 1][0], turns[last][0]) == ("instruction", "input") else last
            return _SYSTEM.sub("", "\n\n".join(said.strip() for _, said in turns[first : last + 1])).strip()
    if text.startswith(("system\n", "user\n")) and (end := BARE_END.search(text[-TAIL:])) is not None:
        body = text[: max(len(text) - TAIL, 0) + end.start()]
        if (begin := BARE_USER.search(body)) is not None:
            return LATER_TURN.split(body[begin.end() :])[-1].strip()
    for ends, begins in WORDED:
        if (end := ends.search(text[-TAIL:])) is not None:
            body = text[: max(len(text) - TAIL, 0) + end.start()]
            started = [found.end() for found in begins.finditer(body)]
            if started and body[started[-1] :].strip():
                return body[started[-1] :].strip()
    return text


def without_requests(text: str) -> str:
    """A question without sentences at its ends that only say in which form to answer."""
    text = text.rstrip()
    while True:
        ends = [found for found in _SENTENCE.finditer(text, max(text.rfind("\n"), 0)) if found.end() < len(text)]
        last = text[ends[-1].end() :] if ends else ""
        if not ends or last.endswith("?") or not REQUEST.search(last) or not text[: ends[-1].start()].strip():
            break
        text = text[: ends[-1].start()].rstrip()
    while (found := LEAD.match(text)) is not None and text[found.end() :].strip():
        text = text[found.end() :]
    return text


def question_of(prompt: str) -> str:
    """What a prompt asks, as far as its template is known."""
    return without_requests(last_question(prompt))


class PromptReader:
    """Takes the template off the prompts of one file."""

    def __init__(self, prompts: Iterable[str], notes: Notes) -> None:
        """`prompts` are some of the file, which all may come again."""
        some = list(dict.fromkeys(prompts))[:LOOKED_AT]
        self._notes = notes
        self._known: Callable[[str], str] = question_of
        asked = [question_of(prompt) for prompt in some]
        if len(set(asked)) < len(some):
            # Several prompts end in the same words: what comes before them is asked too.
            self._known, asked = without_requests, [without_requests(prompt) for prompt in some]
        self._before, self._after = common_ends(asked)
        self._said = False
        self._questions: dict[str, str] = {}

    def question(self, prompt: str) -> str:
        """What is asked; the prompt itself where nothing is to be taken off."""
        known = self._questions.get(prompt)
        if known is not None:
            return known
        text = self._known(prompt)
        if self._before and text.startswith(self._before):
            text = text[len(self._before) :]
        if self._after and text.endswith(self._after):
            text = text[: -len(self._after)]
        text = text.strip()
        if not text:
            text = prompt
        if len(self._questions) < 100_000:
            self._questions[prompt] = text
        if text != prompt.strip():
            self._note(prompt, text)
        return text

    def _note(self, prompt: str, text: str) -> None:
        if not self._said:
            self._said = True
            before, found, after = prompt.partition(text)
            ends = f"{_shown(before, -1)} … {_shown(after, 1)}" if found else _shown(prompt, 1)
            self._note_text = f"prompts whose template was taken off and is kept beside: {ends}"
        self._notes.add(self._note_text)


def _shown(text: str, side: int) -> str:
    line = " ".join(text.split())
    if len(line) <= 40:
        return f"“{line}”"
    return f"“{line[:40]}…”" if side > 0 else f"“{line[:20]}…{line[-20:]}”"


def common_ends(texts: list[str]) -> tuple[str, str]:
    """What all of these texts begin and end with and is no part of any question; empty where nothing is."""
    if len(texts) < 2:
        return "", ""
    before = _before(_shared(texts), len(texts) >= FEWEST)
    rest = [text[len(before) :] for text in texts]
    after = _after(_shared([text[::-1] for text in rest])[::-1], len(texts) >= FEWEST)
    cut = [text[: len(text) - len(after)].strip() for text in rest]
    if not all(cut) or len(set(cut)) < len(set(texts)):
        return "", ""
    return before, after


def _shared(texts: list[str]) -> str:
    """The longest beginning that all of them have."""
    low, high = min(texts), max(texts)
    return low[: next((place for place, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))]


def _before(shared: str, lines: bool) -> str:
    """The beginning that is surely template: whole lines, or up to a label or marker."""
    ends = [found.end() for found in LABEL.finditer(shared)]
    if lines:
        # A line that asks is of the question, even if all of them ask it.
        places = (place for place, character in enumerate(shared, 1) if character == "\n")
        ends += [place for place in places if not shared[:place].rstrip().endswith("?")]
    return shared[: max(ends, default=0)]


def _after(shared: str, lines: bool) -> str:
    for place, character in enumerate(shared):
        if (character.isspace() or place == 0 or shared[place - 1].isspace()) and LABEL_AFTER.match(shared, place):
            return shared[place:]
        if character == "\n" and lines and not shared[place:].rstrip().endswith("?"):
            return shared[place:]
    return ""


# The prompts of a file that are compared.


def some_records(source: SourceFile) -> Iterator[dict[str, Any]]:
    """Objects of a file of JSON lines: those of its beginning, and of places all over it."""
    import orjson

    def objects(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        for line in lines:
            try:
                value = orjson.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value

    yield from objects(source.head.split(b"\n")[:LOOKED_AT])
    size = source.path.stat().st_size
    if source.compression is not None or size <= len(source.head):
        return
    with open(source.path, "rb") as file:
        for place in range(1, PLACES):
            file.seek(size * place // PLACES)
            lines = read_lines(file)
            next(lines, b"")
            yield from objects(islice(lines, 1))


def some_prompts(records: Iterable[Mapping[str, Any]], field: str) -> Iterator[str]:
    """The prompts among them, texts or messages."""
    for record in records:
        text = prompt_text(record.get(field))
        if text:
            yield text
