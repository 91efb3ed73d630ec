"""What is measured and what is expected of it: the rows of the table, section by section."""

from benchmarks.rows import Goal, Line

CALLERS = (1, 16, 64, 256, 1_024)
SPREAD_GOALS = dict(zip(CALLERS, (0.9, 1.5, 2.5, 4.0, 5.0), strict=True))
RATE = "commands/s"
ACCOUNTS = 10_000
APPEND_EVENTS = 500
APPEND_CALLERS = 4


def spread(callers: int) -> str:
    return f"spread, {_so_many(callers, 'caller')}"


def umadb(callers: int) -> str:
    return f"UmaDB, {_so_many(callers, 'thread')}"


def framed_echo(callers: int) -> str:
    return f"framed echo, {_so_many(callers, 'caller')}"


def bare_sqlite(events: int) -> str:
    return f"bare SQLite, commits of {events:,}"


def store(events: int) -> str:
    return f"store alone, commits of {events:,}"


def store_without_ids(events: int) -> str:
    return f"store alone without ids and replies, commits of {events:,}"


def _so_many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


HOT = "one hot aggregate, 256 callers"
UNARY = "unary Execute, 64 callers"
UNARY_ECHO = "unary echo, 64 callers"

APPEND = "AppendEvents of 500, 4 callers"
UMADB_APPEND = "UmaDB, appends of 500, 4 threads"
EVENTSOURCING = "eventsourcing on SQLite, 1 caller"
POSTGRESQL = "PostgreSQL, a transaction each, 64 callers"
RESTATE = "Restate, spread, 64 callers"
RESTATE_HOT = "Restate, one key, 256 callers"
LOADING = "one long aggregate loaded, with its snapshot"
LOADING_WHOLE = "one long aggregate loaded, without"
SEEKING = "a rare type found, by the index"
SEEKING_SCAN = "a rare type found, by a scan"
INDEXING = "events indexed"

COMMANDS = (
    *(Line(spread(n), RATE, umadb(n), Goal("at least", SPREAD_GOALS[n])) for n in CALLERS),
    Line(HOT, RATE, spread(256), Goal("at least", 0.9)),
    Line(HOT, RATE, RESTATE_HOT, Goal("at least", 100)),
    Line(UNARY, RATE, UNARY_ECHO, Goal("at least", 0.85)),
    Line(spread(1), RATE, EVENTSOURCING),
    Line(spread(64), RATE, POSTGRESQL),
    Line(spread(64), RATE, RESTATE),
    *(Line(spread(n), RATE, bare_sqlite(n)) for n in CALLERS),
    *(Line(umadb(n), "appends/s") for n in CALLERS),
    Line(EVENTSOURCING, RATE),
    Line(POSTGRESQL, RATE),
    Line(RESTATE, RATE),
    Line(RESTATE_HOT, RATE),
    Line(UNARY_ECHO, "calls/s"),
    *(Line(framed_echo(n), RATE) for n in CALLERS[1:]),
)
APPENDS = (
    Line(APPEND, "events/s", UMADB_APPEND, Goal("at least", 0.8)),
    *(Line(store(n), "events/s", bare_sqlite(n)) for n in CALLERS),
    *(Line(store_without_ids(n), "events/s", store(n)) for n in CALLERS),
    *(Line(bare_sqlite(n), "events/s") for n in CALLERS),
)
TIMES = (
    *(Line(f"{spread(n)}, p50", "ms", f"{umadb(n)}, p50") for n in CALLERS),
    *(Line(f"{spread(n)}, p99", "ms", f"{umadb(n)}, p99") for n in CALLERS),
    Line(f"{HOT}, p99", "ms"),
)
COSTS = (
    *(Line(f"{spread(n)}, server", "µs CPU", f"{umadb(n)}, server") for n in CALLERS),
    *(Line(f"{spread(n)}, client", "µs CPU", f"{umadb(n)}, client") for n in CALLERS),
)
PARTS = (
    Line(LOADING, "ms", LOADING_WHOLE),
    Line(LOADING_WHOLE, "ms"),
    Line(SEEKING, "ms", SEEKING_SCAN),
    Line(SEEKING_SCAN, "ms"),
    Line(INDEXING, "events/s"),
)

SECTIONS: tuple[tuple[str, tuple[Line, ...]], ...] = (
    ("Durable commands, ids and replies stored", COMMANDS),
    ("Appends", APPENDS),
    ("Times to an answer", TIMES),
    ("Processor time for a command", COSTS),
    ("Parts of the server", PARTS),
)
LINES = tuple(line for _, lines in SECTIONS for line in lines)
