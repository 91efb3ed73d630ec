"""Watches the turns in user code: nothing of it is to take the event loop, or the server, along.

A turn that takes long is reported with its stack, from a thread, for nothing else can see a loop
that never ends. One that takes far too long ends the process, since the event loop cannot be taken
back from it; what was acknowledged is on the disk, and the rest is unknown to nobody: its callers
are told by the broken connection to ask again.

A pause of the process, as when its machine is moved or its container is frozen, is no turn's fault,
and nothing here counts it: not the looks of the thread, nor the processor time of the last resort.

What is raised to end a process or a task (SystemExit, CancelledError) is a bug like any other where
an author's code raises it: left alone it would end ours.
"""

import faulthandler
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from gesta.engine.faults import handler_broken

_LOG = logging.getLogger("gesta.engine")
EXIT_STUCK = 70
"""The exit code of a process that the watchdog ends, if it comes to run."""

KEPT_LOCK = signal.SIGVTALRM
"""Ends a process whose code keeps the interpreter's lock from the watchdog. Nobody needs that lock
to be ended by a signal."""


def _exit(stack: str) -> None:
    os._exit(EXIT_STUCK)


class Watchdog:
    """A context manager around every turn; entering and leaving cost two assignments.

    Leaving raises HandlerBroken instead of what is no Exception, unless it is KeyboardInterrupt.
    `start` runs the thread in which it looks; without it nothing is watched. `kill` is called, in
    that thread, for a turn over `kill_s`; it ends the process unless a test says otherwise.
    """

    def __init__(self, warn_s: float, kill_s: float, kill: Callable[[str], None] = _exit) -> None:
        self._warn_s = warn_s
        self._kill_s = kill_s
        self._kill = kill
        self._turn = 0
        self._inside = False
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._armed = False
        self._loop_thread_id = 0

    def __enter__(self) -> None:
        self._turn += 1
        self._inside = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inside = False
        if error is not None and not isinstance(error, (Exception, KeyboardInterrupt)):
            raise handler_broken("a turn", error) from error

    def start(self) -> None:
        """Watch the calling thread."""
        self._loop_thread_id = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="gesta-watchdog", daemon=True)
        self._thread.start()

    def arm(self) -> None:
        """See to turns, too, that never let this thread run: code in C that keeps the interpreter's
        lock, such as a regular expression that takes for ever. The kernel then ends the process by
        KEPT_LOCK, once it has used `kill_s` of processor time since the watchdog last looked; its
        stacks are written to stderr before.

        Only for a process that does nothing but serve: it ends whatever keeps the lock for so long,
        and it is the one timer of its kind that a process has.
        """
        faulthandler.register(KEPT_LOCK, chain=True)
        self._put_off_the_end()
        self._armed = True

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        if self._armed:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            faulthandler.unregister(KEPT_LOCK)

    def _watch(self) -> None:
        """Looks a few times per `warn_s`, and counts for how many looks a turn has lasted."""
        interval_s = self._warn_s / 4
        seen_turn, looks, reported = 0, 0, False
        while not self._stopped.wait(interval_s):
            if self._armed:
                self._put_off_the_end()
            if not self._inside or self._turn != seen_turn:
                seen_turn, looks, reported = self._turn, 0, False
                continue
            looks += 1
            if looks * interval_s > self._warn_s and not reported:
                reported = True
                _LOG.error("a turn has taken over %.1f s:\n%s", self._warn_s, self._stack())
            if looks * interval_s > self._kill_s:
                stack = self._stack()
                _LOG.critical(
                    "a turn has taken over %.1f s; ending the process:\n%s", self._kill_s, stack
                )
                self._kill(stack)
                return

    def _put_off_the_end(self) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, self._kill_s)

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread_id)
        return "".join(traceback.format_stack(frame)) if frame is not None else "(no stack)"
