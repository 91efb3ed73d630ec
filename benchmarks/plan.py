"""What is measured and what is expected of it: the rows of the table, section by section."""

from benchmarks.rows import Goal, Line

CALLERS = (1, 16, 64, 256, 1_024)
SPREAD_GOALS = dict(zip(CALLERS, (0.9, 1.5, 2.5, 4.0, 5.0), strict=True))
RATE = "commands/s"
ACCOUNTS = 10_000
APPEND_EVENTS = 500
APPEND_CALLERS = 4
LONG_EVENTS, LONG_ACCOUNTS = 1_000_000, 50_000
PROJECTED_EVENTS, PROJECTED_ACCOUNTS = 200_000, 1_000
SUBSCRIBERS = (1, 10, 100, 1_000)
DELIVERIES = 10_000
"""A second, to all subscribers together."""
COMMITS_MIN = 200
"""While they are counted. All deliveries of one commit come as one burst: the p99 of forty bursts
is the slowest of them, whatever made it slow; of so many it is the second or third."""
COLD = (400_000, 20_000)
COLD_LONG = (400_000, 4_000)
"""Events and accounts: of 20 events no snapshot is taken or looked for, of 100 one is."""
QUICK_COLD = (100_000, 5_000)
QUICK_COLD_LONG = (100_000, 1_000)
LARGE = (10_000_000, 1_000_000)
"""Events and aggregates."""
QUICK_LARGE = (200_000, 20_000)
LIVE = 1_000_000
SOAK_PER_SECOND = 2_000
TOUCHED = 10_000
"""Accounts of a large log that are asked anything in a round."""


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


def fan_out(subscribers: int) -> str:
    return f"fan-out, {_so_many(subscribers, 'subscriber')}"


def bare_fan_out(subscribers: int) -> str:
    return f"bare grpc.aio, {_so_many(subscribers, 'subscriber')}"


def soak(minutes: float, what: str) -> tuple[str, str]:
    """The figure at the end, and the one once warm."""
    kind = "soak" if minutes >= SOAK_MINUTES_MIN else "short soak"
    return f"{kind}: {what} at the end", f"{kind}: {what} once warm"


def _so_many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


HOT = "one hot aggregate, 256 callers"
UNARY = "unary Execute, 64 callers"
UNARY_ECHO = "unary echo, 64 callers"
FLUSHED_ECHO = "unary echo once it is on the disk, 64 callers"

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
SCAN = "bare page scan of the same rows"
FRAMES_SUBSCRIBED = "a long log subscribed to, raw frames"
FRAMES_READ = "a long log read, raw frames"
DECODED = "a long log subscribed to, event objects"
UMADB_READ = "UmaDB, a long log read"
DONE_NOTHING = "a handler that does nothing catches up"
PROJECTIONS = {
    DONE_NOTHING: None,
    "the projection Accounts catches up": "accounts",
    "the projection Statements catches up": "statements",
}
"""And the names that they have."""
FIRST_COMMANDS = "first commands on cold accounts of 20 events"
FIRST_COMMANDS_WHOLE = "first commands on cold accounts of 100 events, without snapshots"
FIRST_COMMANDS_SNAPPED = "first commands on cold accounts of 100 events, with snapshots"
EVENT_BYTES = "large log: bytes of its file for each event"
START_EMPTY = "empty log: start-up"
START_LARGE = "large log: start-up"
EMPTY = (
    "empty log: commands, 256 callers",
    "empty log: states, 64 readers",
    "empty log: one account's events, 64 readers",
)
FULL = (
    "large log: commands, 256 callers",
    "large log: states, 64 readers",
    "large log: one account's events, 64 readers",
)
IDLE = "an idle account in memory, besides its state"
IDLE_RSS = "a server with idle accounts in memory"
SOAK_MINUTES_MIN = 5
"""Until everything with a limit has come up to it; a shorter soak is judged by nobody."""
SOAK_FIGURES = {"memory": "rss_mb", "p99": "p99", "open files": "files", "threads": "threads"}
"""And what the load client calls them."""
SOAK_UNITS = {"memory": "MB", "p99": "ms", "open files": "files", "threads": "threads"}
SOAK_GOALS = {"memory": 1.1, "p99": 1.5, "open files": 1.05, "threads": 1.25}
"""gRPC keeps as many threads as it likes, a few."""
PEAK = "the peak before an overload"
ACCEPTED = "overload of three times the peak: accepted"
REFUSED = "overload: until a bystander's command is refused, p99"
CALL_REFUSED = "overload: until a bystander's unary call is refused, p99"
FLOOD_REFUSED = "overload: until one of the flood's own is refused, p99"
ACCEPTED_P99 = "overload: until an accepted command is answered, p99"
SHARE_REFUSED = "overload: share refused"
WITHOUT_ADVICE = "overload: refusals without advice"

COMMANDS = (
    *(Line(spread(n), RATE, umadb(n), Goal("at least", SPREAD_GOALS[n])) for n in CALLERS),
    Line(HOT, RATE, spread(256), Goal("at least", 0.9)),
    Line(HOT, RATE, RESTATE_HOT, Goal("at least", 100)),
    Line(UNARY, RATE, UNARY_ECHO, Goal("at least", 0.85)),
    Line(UNARY, RATE, FLUSHED_ECHO),
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
    Line(FLUSHED_ECHO, "calls/s", UNARY_ECHO),
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
    *(Line(f"{UNARY}, {side}", "µs CPU", f"{UNARY_ECHO}, {side}") for side in ("server", "client")),
    *(Line(f"{FLUSHED_ECHO}, {side}", "µs CPU") for side in ("server", "client")),
)
PARTS = (
    Line(LOADING, "ms", LOADING_WHOLE),
    Line(LOADING_WHOLE, "ms"),
    Line(SEEKING, "ms", SEEKING_SCAN),
    Line(SEEKING_SCAN, "ms"),
    Line(INDEXING, "events/s"),
)
READING = (
    Line(FRAMES_SUBSCRIBED, "events/s", SCAN, Goal("at least", 0.6)),
    Line(FRAMES_READ, "events/s", SCAN, Goal("at least", 0.6)),
    Line(DECODED, "events/s", UMADB_READ, Goal("at least", 0.5)),
    Line(SCAN, "events/s"),
    Line(UMADB_READ, "events/s"),
)
PROJECTING = tuple(
    Line(name, "events/s", DONE_NOTHING, Goal("at least", 0.5))
    if projection
    else Line(name, "events/s")
    for name, projection in PROJECTIONS.items()
)
FAN_OUT = (
    *(Line(fan_out(n), "deliveries/s", bare_fan_out(n)) for n in SUBSCRIBERS),
    *(Line(f"{fan_out(n)}, p50", "ms", f"{bare_fan_out(n)}, p50") for n in SUBSCRIBERS),
    *(
        Line(f"{fan_out(n)}, p99", "ms", f"{bare_fan_out(n)}, p99", Goal("at most", 50, "value"))
        for n in SUBSCRIBERS[:-1]
    ),
    Line(
        f"{fan_out(SUBSCRIBERS[-1])}, p99",
        "ms",
        f"{bare_fan_out(SUBSCRIBERS[-1])}, p99",
        Goal("at most", 1.5),
    ),
)
SIZE = (
    *(Line(a, "1/s", b, Goal("at least", 0.9)) for a, b in zip(FULL, EMPTY, strict=True)),
    Line(START_LARGE, "s", START_EMPTY, Goal("at most", 1, "value")),
    Line(EVENT_BYTES, "bytes"),
    Line(FIRST_COMMANDS, RATE, goal=Goal("at least", 10_000, "value")),
    Line(FIRST_COMMANDS_WHOLE, RATE),
    Line(FIRST_COMMANDS_SNAPPED, RATE, FIRST_COMMANDS_WHOLE, Goal("at least", 10_000, "value")),
    Line(IDLE, "bytes", goal=Goal("at most", 1_000, "value")),
    Line(IDLE_RSS, "MB", goal=Goal("at most", 2_000, "value")),
)
ENDURANCE = (
    *(
        Line(now, SOAK_UNITS[what], before)
        for what in SOAK_UNITS
        for now, before in (soak(0, what),)
    ),
    *(
        Line(end, SOAK_UNITS[what], warm, Goal("at most", bound))
        for what, bound in SOAK_GOALS.items()
        for end, warm in (soak(SOAK_MINUTES_MIN, what),)
    ),
    Line(ACCEPTED, RATE, PEAK, Goal("at least", 0.9)),
    Line(ACCEPTED_P99, "ms"),
    Line(SHARE_REFUSED, "%", goal=Goal("at least", 50, "value")),
    Line(REFUSED, "ms", goal=Goal("at most", 100, "value")),
    Line(CALL_REFUSED, "ms", goal=Goal("at most", 100, "value")),
    Line(FLOOD_REFUSED, "ms"),
    Line(WITHOUT_ADVICE, "refusals", goal=Goal("at most", 0, "value")),
)

SECTIONS: tuple[tuple[str, tuple[Line, ...]], ...] = (
    ("Durable commands, ids and replies stored", COMMANDS),
    ("Appends", APPENDS),
    ("Catching up with a million events", READING),
    ("Projections into SQLite, catching up", PROJECTING),
    ("Live subscribers, at 10,000 deliveries a second", FAN_OUT),
    ("Ten million events, a million aggregates", SIZE),
    ("Lasting load, and too much", ENDURANCE),
    ("Times to an answer", TIMES),
    ("Processor time for a command", COSTS),
    ("Parts of the server", PARTS),
)
LINES = tuple(line for _, lines in SECTIONS for line in lines)
