"""Other people's work, asked for the same: a durable event if nobody was before you.

umadb            UmaDB, an event store in Rust with a server and a Python client of its own
umadb_appending  and many events at once
umadb_reading    and a long log, read
eventsourcing    a library for event sourcing in Python, on SQLite
postgresql       a table in PostgreSQL, and a transaction a command
restate          Restate, durable handlers in Node
"""
