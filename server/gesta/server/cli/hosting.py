"""Loading the code that `serve` hosts, and pointing at what is wrong with it."""

import functools
import importlib
import sys
import traceback
from pathlib import Path
from types import TracebackType

import gesta.domain
from gesta.domain.catalog import Catalog
from gesta.domain.errors import DefinitionError, TargetError
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure

_NOT_THE_AUTHORS = [
    Path(functools.__file__),  # what is checked once, at the first use, is called from there
    *(Path(str(file)).parent for file in (gesta.domain.__file__, importlib.__file__, __file__)),
]


def load_catalog(target: str | None, *, debug: bool) -> Catalog:
    """Runs the code at `target`; without one the catalog is empty. Raises Failure.

    The working directory is importable, as under `python -m`. With `debug` the failure carries the
    traceback, of the author's own code only.
    """
    if target is None:
        return Catalog.of()
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return Catalog.load(target)
    except DefinitionError as error:
        raise _failure(str(error), error, debug) from None
    except TargetError as error:
        cause = error.__cause__
        if cause is None or error.detail.startswith("there is no module"):
            raise Failure(ExitCode.BAD_TARGET, f"{target}: {error.detail}") from None
        raise _failure(_told(cause), cause, debug) from None
    except SystemExit as error:
        raise _failure(f"importing {target} ends the process", error, debug) from None


def _told(cause: BaseException) -> str:
    text = cause.msg if isinstance(cause, SyntaxError) else str(cause)
    return f"{type(cause).__name__}: {text}" if text else type(cause).__name__


def _failure(text: str, cause: BaseException, debug: bool) -> Failure:
    """With the place: where the code does not parse, or the author's line that went wrong."""
    frames = [frame for frame in _frames(cause.__traceback__) if _is_authors(frame)]
    if isinstance(cause, SyntaxError) and cause.filename:
        file, line = cause.filename, cause.lineno
    elif frames:
        file, line = frames[-1].filename, frames[-1].lineno
    else:
        return Failure(ExitCode.BAD_TARGET, text)
    path = Path(file)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return Failure(
        ExitCode.BAD_TARGET,
        f"{shown}:{line}: {text}",
        fields={"file": str(shown), "line": line},
        trace="".join(traceback.format_list(frames)).rstrip() if debug else "",
    )


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(trace))


def _is_authors(frame: traceback.FrameSummary) -> bool:
    """Neither Python's import machinery nor gesta. Libraries the author uses count as theirs."""
    file = Path(frame.filename)
    return not frame.filename.startswith("<frozen") and not any(
        file.is_relative_to(place) for place in _NOT_THE_AUTHORS
    )
