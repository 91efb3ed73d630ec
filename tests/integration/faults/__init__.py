"""Real servers that are stopped, killed, starved and lied to, while real clients keep histories.

load          callers, a reader and a subscriber that keep a history
server        `gesta serve` on a port that it can have again, or on a small disk
failing_disk  a TARGET that makes COMMITs fail when told
rude          clients that break off, stop listening, or speak something else
"""
