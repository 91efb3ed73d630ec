"""Every limit of the engine, with its unit, its default and the reason for it.

One thing has none: names of types and principals. Each is a row of the log and some 200 bytes of
memory, for ever, so a limit would be one for the life of a log. Where types are hosted the code is
that limit; where none is, whoever may append new names without end may as well fill the disk.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Each may be set by the operator; docs/configuration.md lists them."""

    commands_waiting_max: int = 20_000
    """Commands undecided or unanswered in the whole server. At 20,000 commands/s this is one second
    of work: whoever waits longer is better told to come back."""

    turn_wait_ms_max: int = 2_000
    """How long a command may be expected to wait for its turn, going by the pace of those before.
    Where it would wait longer it is refused as it comes, with the advice to come back after as
    long. All that one stream may have open (4,096) fits in, where 2,048 are decided a second."""

    commands_waiting_per_aggregate_max: int = 1_000
    """The same for one aggregate, so that one of them cannot use up the server's share."""

    aggregates_live_max: int = 200_000
    """Aggregates kept in memory; under 1 KB each besides their state. The least recently used goes
    first, and its next command loads it again."""

    aggregate_idle_s: int = 600
    """An aggregate without a command for so long leaves memory."""

    bytes_waiting_max: int = 268_435_456
    """Bytes of arguments, events and envelopes that wait: 256 MiB, what a burst may take of
    memory."""

    appends_waiting_max: int = 256
    """Direct appends unanswered at once: each may hold bytes_per_command_max."""

    loads_at_once_max: int = 64
    """Aggregates being read from the store at the same time: enough to keep its readers busy."""

    load_page_events: int = 500
    """Events per page when an aggregate is loaded; a page is one read transaction."""

    fold_slice_ms: int = 5
    """How long a fold may hold the event loop before others get a turn."""

    events_per_command_max: int = 1_000
    """Events that one command or one direct append may write."""

    bytes_per_command_max: int = 1_048_576
    """Bytes of payloads and envelopes that one command or append may write: 1/8 of a commit. The
    envelope (metadata, principal, trace and correlation) counts with each event."""

    bytes_per_event_max: int = 262_144
    """Bytes of one event's payload; larger things belong in a blob store, with a reference here."""

    bytes_per_reply_max: int = 262_144
    """Bytes of a command's reply: it is stored beside the events."""

    metadata_bytes_max: int = 16_384
    """Bytes of one event's metadata, as JSON."""

    aggregates_per_append_max: int = 64
    """Streams that one direct append may write or check: each is held in memory meanwhile."""

    batch_events_max: int = 4_096
    """Events in one commit. Larger ones gain nothing more per event and delay all in them."""

    batch_bytes_max: int = 8_388_608
    """Bytes in one commit, for the same reason."""

    command_id_window_s: int = 604_800
    """How long the answer to an accepted command is remembered on disk: 7 days, so that whoever
    retries over a long weekend is safe."""

    command_id_ahead_s: int = 86_400
    """How far a time-ordered command id may be ahead of the server's clock. Beyond it the id would
    be forgotten late; a clock that wrong should be noticed."""

    command_ids_in_memory_max: int = 250_000
    """Stored command ids kept in memory (about 120 bytes each), so that a fresh id needs no
    look-up. Older ones are looked up, one read each."""

    refusals_in_memory_max: int = 50_000
    """Refusals remembered, so that a repeated command gets the same one."""

    refusal_bytes_in_memory_max: int = 33_554_432
    """Bytes of text and details among them, 32 MiB: past it the oldest go early, so that a domain
    that explains itself at length takes no more memory."""

    refusal_window_s: int = 600
    """For so long; after that the command is decided anew."""

    tail_events_max: int = 100_000
    """Events kept in memory for subscribers near the head."""

    tail_bytes_max: int = 33_554_432
    """Bytes of payloads and envelopes among them: 32 MiB. What of it has been sent to anybody is in
    memory once more, as it was sent."""

    scan_page_events: int = 1_000
    """Events per page that a subscriber behind the tail reads from the store. Not below
    events_per_command_max, so that a page that begins with a command holds all of it."""

    scan_page_bytes: int = 1_048_576
    """Bytes per such page; not below bytes_per_command_max, for the same reason. A reader holds
    three: the one that it delivers, and two that were read ahead."""

    frame_bytes_max: int = 65_536
    """Bytes of events in one frame to a reader. Two frames in flight are what a stopped reader
    costs."""

    subscriptions_max: int = 10_000
    """Subscriptions open at once."""

    turn_warn_s: float = 1.0
    """A turn in user code that takes longer is reported with its stack."""

    turn_kill_s: float = 30.0
    """A turn that takes longer ends the process: nothing else can stop a loop in user code."""

    snapshot_events_min: int = 50
    """Of fewer events no snapshot is taken when an aggregate leaves memory, and none is looked for:
    they come with the stream in one read, and to fold them takes no longer than to find one."""

    snapshots_waiting_max: int = 10_000
    """Aggregates whose states wait to be kept, each a reference to a state. What is beyond it is
    passed over: it comes up again some events later."""

    snapshots_at_once_max: int = 64
    """Snapshots in one transaction: some milliseconds of work beside the commits."""

    index_after_s: float = 1.0
    """A log that has not grown for so long is indexed to its end: while it grows, commands go
    first."""

    index_behind_events: int = 50_000
    """While the log grows the index follows in strides of so many; a reader scans what it lacks, a
    sixth of a second at most."""

    projections_max: int = 1_000
    """Projections whose reports are remembered. A new name takes the place of one that has been
    silent the longest; while none is silent it is refused."""

    projection_silent_ms: int = 15_000
    """A projection that has not been heard for so long counts as silent. It says something every
    third of that, so that one lost report means nothing, and an outage is seen soon."""

    projection_waits_max: int = 10_000
    """Answers and calls that wait for projections at once, about 1 KB each besides replies. Past it
    a command is answered at once, with what is pending; other calls are refused."""

    projection_waits_bytes_max: int = 67_108_864
    """Bytes of replies among these, 64 MiB, for the same reason and with the same effect."""

    projection_wait_ms_default: int = 5_000
    """How long to wait for projections where the caller does not say: a live one takes
    milliseconds, and one that restarts is back by then."""

    projection_wait_ms_max: int = 60_000
    """How long to wait at most: what waits longer holds memory for somebody who has left."""
