"""What is measured and what is expected of it: the rows of the table, section by section."""

from benchmarks.rows import Goal, Line

CALLERS = (1, 16, 64, 256, 1_024)
SPREAD_GOALS = dict(zip(CALLERS, (0.9, 1.5, 2.5, 4.0, 5.0), strict=True))
RATE = "commands/s"


def spread(callers: int) -> str:
    return f"spread, {_so_many(callers, 'caller')}"


def umadb(callers: int) -> str:
    return f"UmaDB, {_so_many(callers, 'thread')}"


def framed_echo(callers: int) -> str:
    return f"framed echo, {_so_many(callers, 'caller')}"


def _so_many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


HOT = "one hot aggregate, 256 callers"
UNARY = "unary Execute, 64 callers"
UNARY_ECHO = "unary echo, 64 callers"

COMMANDS = (
    *(Line(spread(n), RATE, umadb(n), Goal("at least", SPREAD_GOALS[n])) for n in CALLERS),
    Line(HOT, RATE, spread(256), Goal("at least", 0.9)),
    Line(UNARY, RATE, UNARY_ECHO, Goal("at least", 0.85)),
    *(Line(umadb(n), "appends/s") for n in CALLERS),
    Line(UNARY_ECHO, "calls/s"),
    *(Line(framed_echo(n), RATE) for n in CALLERS[1:]),
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

SECTIONS: tuple[tuple[str, tuple[Line, ...]], ...] = (
    ("Durable commands, ids and replies stored", COMMANDS),
    ("Times to an answer", TIMES),
    ("Processor time for a command", COSTS),
)
LINES = tuple(line for _, lines in SECTIONS for line in lines)
