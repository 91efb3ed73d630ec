"""What is measured in one round, stage by stage; a stage has gesta next to what it is held against.

writing    commands and appends, beside UmaDB, echoes and bare SQLite
reading    readers that catch up, and readers that follow live
large      large logs, and many aggregates
endurance  a load that lasts, and one that is too much
others     what other people's stores and runtimes take for a command
parts      parts of the server by themselves
"""

from collections.abc import Awaitable, Callable

from benchmarks.bench import Bench
from benchmarks.stages import endurance, large, others, parts, reading, writing

Stage = Callable[[Bench], Awaitable[None]]

EVERY_ROUND: dict[str, Stage] = {
    "commands": writing.commands,
    "appends": writing.appends,
    "store": writing.store,
    "others": others.others,
    "catching-up": reading.catching_up,
    "projecting": reading.projecting,
    "fan-out": reading.fan_out,
    "cold": large.cold,
    "overload": endurance.overload,
}
ONCE: dict[str, Stage] = {
    "parts": parts.parts,
    "large": large.large,
    "idle": large.idle,
    "soak": endurance.soak,
}
"""Those whose rounds are within."""

STAGES = EVERY_ROUND | ONCE

QUICK = ("commands", "appends", "store", "catching-up", "fan-out", "overload")
"""Of these a share is done in two minutes: commands, appends and readers, each beside UmaDB, bare
gRPC or bare SQLite. What takes long to prepare, or must last, is left out."""
