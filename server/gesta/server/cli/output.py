"""Data on stdout, everything else on stderr."""

# ruff: noqa: T201  (printing is what this file is for)

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from gesta.server.cli.failure import Failure


def print_line(line: str) -> None:
    """A line of data, at once. Raises BrokenPipeError where nobody reads any more."""
    print(line, flush=True)


def print_lines(lines: Iterable[bytes]) -> None:
    """Many at once, in UTF-8 whatever the locale: JSON is. Raises BrokenPipeError."""
    sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
    sys.stdout.buffer.flush()


def print_answer(answer: Mapping[str, object], *, as_json: bool) -> None:
    """One object: as a line of JSON, or a field a line, those of inner objects indented."""
    if as_json:
        print_lines([msgspec.json.encode(answer)])
    else:
        for line in _field_lines(answer, ""):
            console().print(line)


def console() -> Console:
    """For text: in colour on a terminal that has it, and never wrapped: a line stays one."""
    return Console(
        # Rich knows TERM=dumb by itself; with NO_COLOR it would go on using bold and dim.
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def abandon(out: TextIO) -> None:
    """Nobody reads `out` any more; what is left in it must not fail again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)


def say(text: str) -> None:
    """Something for whoever watches, on stderr."""
    print(text, file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """The text with its control characters spelt out: what is stored must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def one_line(data: bytes) -> bytes:
    """JSON as stored, every digit of it, but without line breaks that a writer may have put
    there."""
    return msgspec.json.format(data, indent=-1)


def report(failure: Failure, *, as_json: bool) -> None:
    """The one line that says what went wrong."""
    if failure.trace:
        say(failure.trace)
    if as_json:
        error = {"reason": failure.reason, "message": failure.text, **failure.fields}
        line = msgspec.json.encode({"error": error, "exit_code": failure.code}).decode()
    else:
        line = printable(f"gesta: {failure.reason}: {failure.text}")
    say(line)


def _field_lines(answer: Mapping[str, object], indent: str) -> Iterator[Text]:
    width = max(map(len, answer), default=0)
    for name, value in answer.items():
        label = f"{indent}{name:<{width}}"
        if isinstance(value, Mapping) and value:
            yield Text(label.rstrip(), "dim")
            yield from _field_lines(value, indent + "  ")
        else:
            yield Text.assemble((label, "dim"), f"  {plain(value)}")


def plain(value: object) -> str:
    """A JSON value in text: strings without quotes, everything else as JSON."""
    return printable(value if isinstance(value, str) else msgspec.json.encode(value).decode())
