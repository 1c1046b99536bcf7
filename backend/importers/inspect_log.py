"""Inspect logs: `.eval`, a zip with a file (or, chunked, a folder) a sample, and `.json`, the whole log in one object.

Read as they are written, without inspect_ai. The epoch is the sample's index. Members that come twice are legal: the
last counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from backend.importers.archive import Archive, names
from backend.importers.fields import decode, document, kind
from backend.importers.gathering import chosen, sampling
from backend.importers.inspect_sample import InspectSample, verdicts_of
from backend.importers.protocol import Block, Counts, Notes, Options, RunFacts, SourceFile, bad
from backend.importers.values import mapping

SHAPE = re.compile(rb'\{\s*"version"\s*:\s*\d{1,3}\s*,\s*"status"\s*:\s*"\w{1,20}"\s*,\s*"eval"\s*:\s*\{')
HEADER, START = "header.json", "_journal/start.json"
SAMPLE = re.compile(r"samples/(?P<name>.+_epoch_\d+)(?P<chunked>/sample)?\.json", re.DOTALL)
ATTACHMENTS = re.compile(r"(?P<folder>samples/.+/)attachments/(?P<start>\d{1,12})\.json", re.DOTALL | re.ASCII)
PARAMETERS = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_tokens": "max_tokens", "seed": "seed",
}  # fmt: skip


def facts_of(header: Mapping[str, Any], notes: Notes) -> RunFacts:
    """Model, task and sampling parameters out of a log's header."""
    about = mapping(header.get("eval"))
    status = header.get("status")
    if isinstance(status, str) and status != "success":
        notes.add(f"logs with status {status}: the evaluation did not come to its end")
    config = {**mapping(about.get("model_generate_config")), **mapping(mapping(header.get("plan")).get("config"))}
    model, task = about.get("model"), about.get("task")
    return RunFacts(
        model=model if isinstance(model, str) and model else None,
        benchmark=task if isinstance(task, str) and task else None,
        parameters=sampling(config, PARAMETERS),
    )


class Inspect:
    """See the module."""

    name = "inspect"
    title = "Inspect log (.eval or .json)"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A zip with a log's header or journal, or an object that begins with version, status and eval."""
        return names(source, (HEADER, START)) or bool(SHAPE.match(source.first_document))

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples in the order of the log."""
        if source.first_document.startswith(b"{"):
            yield from self._json(source, options, notes)
            return
        with Archive(source) as archive:
            yield from self._zip(source, archive, options, notes)

    def _json(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block]:
        log = document(source)
        samples = log.get("samples") if isinstance(log, dict) else None
        if not isinstance(samples, list):
            raise bad(source, None, f"field samples: expected a list, found {kind(samples)}")
        scored: dict[str, None] = {}
        for sample in samples:
            scored.update((name, None) for name, _, _ in verdicts_of(mapping(sample).get("scores")))
        used = chosen(source, list(scored), options, notes, "scorers") if scored else None
        reader = InspectSample(source, facts_of(log, notes), used, notes)
        for row, sample in enumerate(samples, 1):
            yield reader.block(row, sample)

    def _zip(self, source: SourceFile, archive: Archive, options: Options, notes: Notes) -> Iterator[Block]:
        found = [(name, match) for name in archive.members if (match := SAMPLE.fullmatch(name))]
        both = {match["name"] for _, match in found if not match["chunked"]}
        found = [(name, match) for name, match in found if not (match["chunked"] and match["name"] in both)]
        if HEADER in archive.members:
            header = mapping(self._member(source, archive, HEADER))
        else:
            header = mapping(self._member(source, archive, START))
            notes.add("logs without a header: the evaluation did not come to its end")
        facts = facts_of(header, notes)
        chunks: dict[str, list[int]] = {}
        for name in archive.members:
            if chunk := ATTACHMENTS.fullmatch(name):
                chunks.setdefault(chunk["folder"], []).append(int(chunk["start"]))
        reader: InspectSample | None = None
        size, total = source.path.stat().st_size, max(len(found), 1)
        for row, (name, match) in enumerate(found, 1):
            source.row = row
            sample = self._member(source, archive, name)
            if reader is None:
                scored = self._scorers(header, sample)
                used = chosen(source, scored, options, notes, "scorers") if scored else None
                reader = InspectSample(source, facts, used, notes)
            attachments = None
            if match["chunked"] and isinstance(sample, dict):
                folder = name.removesuffix("sample.json")
                sample, attachments = self._chunked(source, archive, folder, chunks.get(folder, []), sample)
            yield reader.block(row, sample, attachments)
            source.bytes_read = size * row // total

    @staticmethod
    def _scorers(header: Mapping[str, Any], sample: Any) -> list[str]:
        """The scorers of the first sample that is scored; where it has none, those of the header."""
        scored = [name for name, _, _ in verdicts_of(mapping(sample).get("scores"))]
        if scored:
            return scored
        listed = mapping(header.get("results")).get("scores")
        found = [mapping(entry).get("name") for entry in listed] if isinstance(listed, list) else []
        return list(dict.fromkeys(name for name in found if isinstance(name, str)))

    @staticmethod
    def _member(source: SourceFile, archive: Archive, name: str) -> Any:
        return decode(source, archive.read(name), None, of=name)

    def _chunked(
        self, source: SourceFile, archive: Archive, folder: str, starts: list[int], shell: dict[str, Any]
    ) -> tuple[dict[str, Any], list[Any]]:
        """A chunked sample as a whole one would be, but for its messages and events; and its attachments."""
        metadata = f"{folder}metadata.json"
        if metadata in archive.members:
            shell = {**shell, "metadata": self._member(source, archive, metadata)}
        attachments: list[Any] = []
        for start in sorted(starts):
            chunk = self._member(source, archive, f"{folder}attachments/{start}.json")
            attachments += chunk if isinstance(chunk, list) else []
        return shell, attachments


importer = Inspect()
