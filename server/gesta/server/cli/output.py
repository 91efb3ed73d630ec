"""Data on stdout, everything else on stderr."""

# ruff: noqa: T201  (printing is what this file is for)

import json
import os
import sys
from typing import Any, TextIO

from gesta.server.cli.failure import Failure


def print_line(line: str, to: TextIO | None = None) -> None:
    """A line of data, at once. A reader that went away is no error of ours: see `abandon`."""
    out = to or sys.stdout
    try:
        print(line, file=out, flush=True)
    except BrokenPipeError:
        abandon(out)


def abandon(out: TextIO) -> None:
    """Nobody reads `out` any more; what is left in it must not fail again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, out.fileno())
    os.close(nowhere)


def say(text: str) -> None:
    """Something for whoever watches, on stderr."""
    print(text, file=sys.stderr, flush=True)


def report(failure: Failure, *, as_json: bool) -> None:
    """The one line that says what went wrong."""
    if failure.trace:
        say(failure.trace)
    if as_json:
        error: dict[str, Any] = {"reason": failure.reason, "message": failure.text}
        line = json.dumps({"error": error | dict(failure.fields)}, default=str)
    else:
        line = f"gesta: {failure.reason}: {failure.text}"
    say(line)
