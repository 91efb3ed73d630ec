"""What `gesta` ends with: one table, which `gesta --help` shows and a test holds complete."""

from collections.abc import Mapping
from enum import IntEnum

from gesta.client import errors
from gesta.client.errors import GestaError, Outcome
from gesta.store import port
from gesta.store.port import StoreError


class ExitCode(IntEnum):
    """Fixed: scripts rely on them. From 64 on they are those of sysexits.h, and only of commands
    that open a log themselves."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    REFUSED = 3
    CONFLICT = 4
    NOT_FOUND = 5
    UNAVAILABLE = 6
    OUTCOME_UNKNOWN = 7
    DATA_LOSS = 8
    REPLAY_FAILS = 9
    NOT_A_LOG = 65
    CANNOT_LISTEN = 69
    STUCK = 70
    STORAGE_FAILED = 74
    LOG_LOCKED = 75
    BAD_TARGET = 78
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "something is broken: a bug in the author's code, or in gesta",
    ExitCode.BAD_INPUT: "usage, or input that cannot be right: asking again cannot help",
    ExitCode.REFUSED: "the domain refused the command",
    ExitCode.CONFLICT: "a condition did not hold: another version, the aggregate exists, or a "
    "projection must be rebuilt",
    ExitCode.NOT_FOUND: "there is no such aggregate, or correlation",
    ExitCode.UNAVAILABLE: "server not reached, busy or too slow; nothing was written",
    ExitCode.OUTCOME_UNKNOWN: "the command may have been written: repeat it with --command-id",
    ExitCode.DATA_LOSS: "stored bytes are damaged",
    ExitCode.REPLAY_FAILS: "verify-replay: the code would fail on what is stored",
    ExitCode.NOT_A_LOG: "serve, and others on a log: the data is not a log that this gesta can "
    "open; left untouched",
    ExitCode.CANNOT_LISTEN: "serve: cannot listen there",
    ExitCode.STUCK: "serve: an aggregate's code took too long (142, by SIGVTALRM, where it kept "
    "Python's lock)",
    ExitCode.STORAGE_FAILED: "serve, and others on a log: the storage failed; the next start finds "
    "out what was written",
    ExitCode.LOG_LOCKED: "serve, and others on a log: another server has the data",
    ExitCode.BAD_TARGET: "serve, verify-replay: TARGET cannot be hosted",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}

CLIENT_ERRORS: Mapping[type[GestaError], ExitCode] = {
    errors.GestaError: ExitCode.FAILED,
    errors.BadRequest: ExitCode.BAD_INPUT,
    errors.Unmet: ExitCode.CONFLICT,
    errors.VersionConflict: ExitCode.CONFLICT,
    errors.AggregateExists: ExitCode.CONFLICT,
    errors.AggregateNotFound: ExitCode.NOT_FOUND,
    errors.Refused: ExitCode.REFUSED,
    errors.TryLater: ExitCode.UNAVAILABLE,
    errors.Expired: ExitCode.UNAVAILABLE,
    errors.OutcomeUnknown: ExitCode.OUTCOME_UNKNOWN,
    errors.Fault: ExitCode.FAILED,
    errors.CorruptEvent: ExitCode.DATA_LOSS,
    errors.Unrecognised: ExitCode.UNAVAILABLE,
    errors.ClientClosed: ExitCode.FAILED,
    errors.UnreadableAnswer: ExitCode.FAILED,
}
"""A class that is not here has the code of its base."""

STORE_ERRORS: Mapping[type[StoreError], ExitCode] = {
    port.NotALog: ExitCode.NOT_A_LOG,
    port.LogLocked: ExitCode.LOG_LOCKED,
    port.CorruptLog: ExitCode.DATA_LOSS,
    port.StorageFull: ExitCode.STORAGE_FAILED,
    port.StorageFailed: ExitCode.STORAGE_FAILED,
}


def of_client_error(error: GestaError, *, may_have_written: bool) -> ExitCode:
    """`may_have_written`: a command was asked for. A read has no outcome to be in doubt about."""
    if may_have_written and error.outcome is Outcome.UNKNOWN:
        return ExitCode.OUTCOME_UNKNOWN
    return next(CLIENT_ERRORS[each] for each in type(error).__mro__ if each in CLIENT_ERRORS)


def of_store_error(error: StoreError) -> ExitCode:
    """For an error that keeps a server from starting, or from going on."""
    return next(
        (STORE_ERRORS[each] for each in type(error).__mro__ if each in STORE_ERRORS),
        ExitCode.FAILED,
    )


def epilog() -> str:
    """The table as help text; the mark before a paragraph keeps its lines as they are."""
    lines = (f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
    return "\n".join(("\b", "Exit codes:", *lines))
