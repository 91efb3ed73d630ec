"""Watches the turns in user code: nothing of it is to take the event loop, or the server, along.

A turn that takes long is reported with its stack, from a thread, for nothing else can see a loop
that never ends. One that takes far too long ends the process, since the event loop cannot be taken
back from it; what was acknowledged is on the disk, and the rest is unknown to nobody: its callers
are told by the broken connection to ask again.

What is raised to end a process or a task (SystemExit, CancelledError) is a bug like any other where
an author's code raises it: left alone it would end ours.
"""

import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType

from gesta.engine.faults import handler_broken

_LOG = logging.getLogger("gesta.engine")
EXIT_STUCK = 70
"""The exit code of a process that the watchdog ends, if it comes to run. Where the code keeps the
interpreter's lock, it is 1: that is faulthandler's."""


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
        lock, such as a regular expression that takes for ever. The C library then ends the process
        when the watchdog has not been awake for `kill_s`.

        Only for a process that does nothing but serve: it ends whatever keeps the lock for so long,
        and it is the one timer that faulthandler has.
        """
        self._put_off_the_end()
        self._armed = True

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        if self._armed:
            faulthandler.cancel_dump_traceback_later()

    def _watch(self) -> None:
        """Looks a few times per `warn_s`; a turn's age counts from the first that saw it."""
        seen_turn, since, reported = 0, 0.0, False
        while not self._stopped.wait(self._warn_s / 4):
            if self._armed:
                self._put_off_the_end()
            if not self._inside or self._turn != seen_turn:
                seen_turn, since, reported = self._turn, time.monotonic(), False
                continue
            age = time.monotonic() - since
            if age > self._warn_s and not reported:
                reported = True
                _LOG.error("a turn has taken over %.1f s:\n%s", self._warn_s, self._stack())
            if age > self._kill_s:
                stack = self._stack()
                _LOG.critical(
                    "a turn has taken over %.1f s; ending the process:\n%s", self._kill_s, stack
                )
                self._kill(stack)
                return

    def _put_off_the_end(self) -> None:
        faulthandler.dump_traceback_later(self._kill_s, exit=True)

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread_id)
        return "".join(traceback.format_stack(frame)) if frame is not None else "(no stack)"
