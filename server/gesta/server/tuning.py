"""Settings of the interpreter that a server process gains from. A library never calls this."""

import gc
import sys

_SWITCH_INTERVAL_S = 0.0005
"""How long the event loop may keep the interpreter lock from the SQLite thread. At the default of
5 ms a commit waits that long several times while the loop is busy."""

_GC_THRESHOLDS = (50_000, 20, 100)
"""Commands leave few cycles behind, but batches in flight look like a flood of new objects. At the
defaults (700, 10, 10) half of a busy server's time went into looking for cycles: 11,300 commands/s
at 256 callers against 20,400 with these, log in memory, one run."""


def tune() -> None:
    """To be called once, when everything is imported and started."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()  # what is here now stays; it need not be looked at again
    gc.set_threshold(*_GC_THRESHOLDS)
