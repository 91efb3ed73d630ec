"""The engine: actors over one log. asyncio and the ports; no gRPC, no SQLite, no files.

engine        puts it all together; open, drain, close, abandon
commands      admission, mailbox, and the turn in which a command is decided
appends       events written without a command, through the same actors
actor         one live aggregate, a record
registry      find or load an actor, pin it, let idle ones go
replay        a stream, folded
snapshots     states kept, so that a stream need not be folded whole
conditions    expected versions and existence
batch         what is decided, and how it becomes a transaction
writer        group commit; generations that stand or fall together
command_ids   which ids are taken
feed, tail    subscriptions: cursors over the shared tail and the store's pages
chunks        what a cursor is given at once
pages         the log behind the tail
ahead         the next pages, read while one is delivered
waiters       whoever waits for the head to move, but not for ever
filters       which events a reader wants
views         and in which version it sees them
reads         state and queries of aggregates
history       aggregates as they stood, commands as they would go
reading       bulk reads of events
indexing      the index of events, filled and read
sought        what is looked for in it
verification  a whole log through code that is to be deployed
findings      what would fail there
projections   how far they have come, and whoever waits for them
token         opaque places in a log
log_time      time that never runs backwards
messages      what the engine is asked and answers
errors        what it answers instead, drawn as a tree
faults        bugs: all to the log, an id to the caller
limits        every limit, its default and its reason
storage       the store as all of these call it, and how they are released from it
watchdog      turns that take too long
ports         the clock and randomness
"""
