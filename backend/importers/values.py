"""Values out of decoded JSON, CSV or Parquet rows, with errors that name file, line and column."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from hashlib import blake2b
from math import isfinite
from typing import Any

import orjson

from backend.errors import InputError
from backend.importers.source import MOST_DOCUMENT, MOST_LINE, SourceFile, input_error, read_lines

# Reading values out of decoded JSON, CSV or Parquet rows, with errors that name file, line and field.


def json_lines(source: SourceFile, only: Container[int] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of every line that is not blank.

    Args:
        only: numbers of the lines that are wanted, for a second reading; the others are passed over unread.

    Raises:
        InputError: a line is not a JSON object in UTF-8.
    """
    plain, bad_rows, loads = source.compression is None, source.bad_rows, orjson.loads
    with source.open() as file:
        for number, line in enumerate(read_lines(file), 1):
            if plain:
                source.bytes_read += len(line)
            source.row = number
            if (only is not None and number not in only) or (bad_rows is not None and number in bad_rows):
                continue
            if len(line) > MOST_LINE:
                raise input_error(source, number, f"longer than {MOST_LINE >> 30} GiB")
            try:
                value = loads(line)
            except ValueError:
                value = None
            # What most lines are comes first; the rest is looked at closely.
            if type(value) is not dict:
                value = _other_line(source, number, line)
                if value is None:
                    continue
            yield number, value


def _other_line(source: SourceFile, number: int, line: bytes) -> dict[str, Any] | None:
    """The object of a line that orjson does not read as one; None where there is none and the file goes on."""
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    if not line or line.isspace():
        return None
    try:
        value = decode(source, line, number)
        if not isinstance(value, dict):
            raise input_error(source, number, f"expected a JSON object, found {kind_of_value(value)}")
        return value
    except InputError as error:
        source.pass_over(error)
        return None


def read_document(source: SourceFile) -> Any:
    """The whole file as one JSON value.

    Raises:
        InputError: not JSON, not UTF-8, or too large to be read whole.
    """
    with source.open() as file:
        data = file.read(MOST_DOCUMENT + 1)
    if len(data) > MOST_DOCUMENT:
        raise input_error(
            source, None, f"one JSON document of more than {MOST_DOCUMENT >> 30} GiB; it would have to be read whole"
        )
    source.bytes_read = source.path.stat().st_size
    return decode(source, data.removeprefix(b"\xef\xbb\xbf"), None)


def decode(source: SourceFile, text: bytes, number: int | None, *, of: str = "") -> Any:
    """One JSON value; orjson, and the standard library for what orjson refuses (lone surrogates, NaN, huge integers).

    Args:
        number: the line; None for what is no line.
        of: the member of an archive that it is.

    Raises:
        InputError: not JSON, or not UTF-8.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    inside = f"{of}: " if of else ""
    if b"\0" in text:
        raise input_error(
            source, number, f"{inside}not JSON: it holds NUL bytes, as a write that was cut off leaves them", SKIP
        )
    try:
        return json.loads(text)
    except UnicodeDecodeError as error:
        raise input_error(
            source, number, f"{inside}not UTF-8 at byte {error.start}", "Convert the file to UTF-8."
        ) from error
    except RecursionError as error:
        raise input_error(source, number, f"{inside}JSON nested too deeply to read") from error
    except json.JSONDecodeError as error:
        ended = not error.doc[error.pos :].strip() or error.msg.startswith("Unterminated string")
        cut = f" The {'file' if number is None else 'line'} is cut off?" if ended else ""
        place = f"character {error.colno:,}" if number is not None else f"line {error.lineno:,}"
        if ended:
            place = "its end"
        next_step = SKIP if number is not None else ""
        raise input_error(source, number, f"{inside}not JSON at {place}: {error.msg}.{cut}", next_step) from error
    except ValueError as error:
        raise input_error(source, number, f"{inside}not JSON: {error}") from error


SKIP = "Nothing was imported. --skip-bad-rows imports the other rows, and lists those that it leaves out."


def kind_of_value(value: object) -> str:
    """What a person calls a JSON value's type."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true/false", int: "a number"}
    return "null" if value is None else names.get(type(value), "a number")


def text_field(source: SourceFile, row: int, record: Mapping[str, Any], field: str) -> str:
    """A string field that must be there."""
    value = record.get(field)
    if not isinstance(value, str):
        found = kind_of_value(value) if field in record else "nothing"
        raise input_error(source, row, f"field {field}: expected a string, found {found}")
    return value


def as_text(value: object) -> str | None:
    """A scalar as text, None for null: ids, references and levels come as strings or numbers."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def list_of(
    source: SourceFile,
    row: int,
    record: Mapping[str, Any],
    field: str,
    length: int | None = None,
    *,
    where: str = "line",
) -> list[Any] | None:
    """A list field, None when it is not there; its length must be `length` when that is given."""
    value = record.get(field)
    if value is None:
        return None
    if not isinstance(value, list):
        expected = f"field {field}: expected a list with an entry a sample, found {kind_of_value(value)}"
        raise input_error(source, row, expected, where=where)
    if length is not None and len(value) != length:
        raise input_error(source, row, f"field {field}: {len(value)} entries for {length} samples", where=where)
    return value


def string_list(source: SourceFile, row: int, values: Sequence[Any] | None, field: str) -> list[str | None] | None:
    """A list of strings or nulls."""
    if values is None:
        return None
    for value in values:
        if value is not None and not isinstance(value, str):
            raise input_error(source, row, f"field {field}: expected strings, found {kind_of_value(value)}")
    return list(values)


def parameter(source: SourceFile, row: int | None, field: str, value: Any) -> Any:
    """A sampling parameter: a word or a finite number. Runs are compared by them."""
    if isinstance(value, float) and not isfinite(value):
        raise input_error(source, row, f"field {field}: {value} is no value of a sampling parameter")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise input_error(source, row, f"field {field}: the number is too large")
    if not isinstance(value, str | bool | int | float):
        raise input_error(source, row, f"field {field}: expected a word or a number, found {kind_of_value(value)}")
    return value


CORRECT_WORDS = {
    "true": True, "1": True, "1.0": True, "correct": True, "passed": True, "pass": True, "yes": True,
    "false": False, "0": False, "0.0": False, "wrong": False, "incorrect": False, "failed": False,
    "fail": False, "no": False,
}  # fmt: skip


class NotAVerdict(ValueError):
    """A whole number above 1 where a verdict is expected: a count, or a reward of another scale."""

    def __init__(self, value: object) -> None:
        super().__init__(f"{value} is no verdict: a whole number above 1 is a count, or a reward of another scale")


ANOTHER_SCALE = (
    "Nothing was imported. A reward: say from where on it is correct, --correct-at 10. A count of correct samples: "
    "--column c=COLUMN, with --n. Another column is the verdict: --column verdict=COLUMN."
)
"""What to do about NotAVerdict."""


def parse_correct(value: object, correct_at: float | None = None) -> bool | None:
    """Whether a value says correct (True) or wrong (False); None when it says neither, such as NaN.

    A number says correct only at 1 or more: rewards between 0 and 1 are for form, not for a right answer.

    Args:
        correct_at: from which number on a value is correct, where the user said so.

    Raises:
        NotAVerdict: a whole number above 1, and the user said nothing.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        known = CORRECT_WORDS.get(value.strip().lower())
        if known is not None and correct_at is None:
            return known
        try:
            value = float(value)
        except ValueError:
            return known
    if not isinstance(value, int | float) or value != value:
        return None
    if correct_at is not None:
        return value >= correct_at
    if value > 1 and (isinstance(value, int) or not isfinite(value) or value == int(value)):
        raise NotAVerdict(shortened(value) if isinstance(value, int) else f"{value:g}")
    return value >= 1


def refine_verdict(correct: bool | None, answer: object, finish_reason: object, answers_known: bool) -> str:
    """The verdict for what a file says: right stays right, wrong is told apart by what else the file says.

    Args:
        correct: None when the file has no verdict.
        answer: the extracted answer; empty or null means that none was found, if the file has answers at all.
        finish_reason: `length` or `max_tokens` when generation was cut off.
    """
    if correct is None:
        return "unverified"
    if correct:
        return "correct"
    if finish_reason in ("length", "max_tokens"):
        return "truncated"
    if answers_known and (answer is None or (isinstance(answer, str) and not answer.strip())):
        return "no_answer"
    return "wrong"


def steps_named(source: SourceFile, marker: bytes, step: re.Pattern[bytes]) -> set[int]:
    """The training steps that the lines of a file name, found without parsing them.

    Args:
        marker: what a line must hold to be looked at.
        step: its only group is the number of a step; searched from the marker on.
    """
    steps: set[int] = set()
    with source.open() as file:
        for line in read_lines(file):
            at = line.find(marker)
            if at >= 0:
                steps.update(map(int, step.findall(line, at)))
    source.bytes_read = 0
    return steps


# Values of table cells as numbers: csv cells are strings, Parquet and JSON numbers may be of any size.

_DIGITS = re.compile(r"\s*[+-]?\d{1,30}\s*")


def integer(value: Any) -> int:
    """A whole number that 64 bits hold.

    Raises:
        ValueError, TypeError, OverflowError: it is none.
    """
    number = value if isinstance(value, int) else int(value) if _DIGITS.fullmatch(str(value)) else float(value)
    if number != int(number) or not -(2**63) <= number < 2**63:
        raise ValueError
    return int(number)


def count(value: Any) -> int:
    """A whole number from 0 that 32 bits hold: tokens, steps, indices; raises like `integer`."""
    number = integer(value)
    if not 0 <= number < 2**31 - 1:
        raise ValueError
    return number


def plain_value(value: Any) -> Any:
    """A parameter as a number where it is one."""
    if isinstance(value, str):
        try:
            return json.loads(value) if value[:1] in "-0123456789." else value
        except ValueError:
            return value
    return value


def as_they_are(values: Sequence[Any], convert: Callable[[Any], Any]) -> bool:
    """Whether a whole column needs no conversion: the types of Parquet and JSON are mostly right already."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int} and convert in (integer, count):
        known = [value for value in values if value is not None]
        low, high = (0, 2**31 - 2) if convert is count else (-(2**63), 2**63 - 1)
        return bool(low <= min(known) and max(known) <= high)
    return False


def shortened(value: Any) -> str:
    """A value in an error: `repr`, cut where it is long."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of many digits"
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def figure(value: Any) -> str:
    """A score in a detail: six digits of it, and whatever else it may be cut short."""
    return f"{value:g}" if isinstance(value, float) else shortened(value)


WANTED: dict[Callable[[Any], Any], str] = {
    integer: "whole number",
    count: "whole number from 0 to 2,147,483,646",
}
"""What a conversion expects, in words."""


def listed(value: Any) -> list[Any]:
    """A list of a file that may be missing or be something else: then an empty one."""
    return value if isinstance(value, list) else []


def as_mapping(value: Any) -> Mapping[str, Any]:
    """An object of a file that may be missing or be something else: then one without fields."""
    return value if isinstance(value, dict) else {}


def image_names(value: Any) -> tuple[str, ...]:
    """What images are known by: the hash of their bytes, else their path or address.

    Args:
        value: a path, an address (`data:` too), bytes, an object with one of them, or a list of such.
    """
    if isinstance(value, list | tuple):
        return tuple(name for entry in value for name in image_names(entry))
    if isinstance(value, dict):
        held = next((value[key] for key in ("bytes", "image_url", "url", "image", "path") if value.get(key)), None)
        return image_names(held)
    if isinstance(value, str) and value.startswith("data:") and ";base64," in value[:100]:
        try:
            value = b64decode(value.partition(",")[2], validate=True)
        except ValueError:
            return (value,)
    if isinstance(value, bytes):
        return (f"blake2b:{blake2b(value, digest_size=16).hexdigest()}",)
    return (value,) if isinstance(value, str) and value else ()


def option_texts(value: Any) -> tuple[str, ...]:
    """What there is to choose from: a list of texts, or lm-evaluation-harness's object of `text` and `label`."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    if isinstance(value, dict):
        listed = value.get("text")
        value = listed if isinstance(listed, list) else list(value.values())
    if isinstance(value, str) and value.strip():
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str | int | float) for entry in value):
        return ()
    return tuple(text for entry in value if (text := as_text(entry)) is not None)
