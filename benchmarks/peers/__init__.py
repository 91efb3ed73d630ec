"""Other people's work, asked for the same: a durable event if nobody was before you.

umadb      UmaDB, an event store in Rust with a server and a Python client of its own
"""
