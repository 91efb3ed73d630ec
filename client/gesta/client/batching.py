"""Commands of concurrent callers over one stream, which is opened again when it breaks."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import chain

from gesta.client.command_queue import CommandQueue, Waiting
from gesta.client.deadlines import Deadlines
from gesta.client.errors import GestaError, Outcome, Overloaded, Unreachable
from gesta.client.options import Options
from gesta.client.retry import RetryBudget, may_pass
from gesta.client.session import Call, Session


class CommandStream:
    """Opened by the first command; one that breaks while idle stays closed until the next.

    Whatever happens, every command put here gets an answer. One that a broken stream left
    unanswered is sent again with its command id, in its old place, so that the commands of an
    aggregate stay in order; one that the server put off goes to the end when its time has come.
    """

    def __init__(
        self, open_call: Callable[[], Call], options: Options, budget: RetryBudget
    ) -> None:
        self._open_call = open_call
        self._options = options
        self._budget = budget
        self._queue = CommandQueue()
        self._put_off: dict[Waiting, asyncio.TimerHandle] = {}
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadlines = Deadlines(self._unanswered)

    def put(self, waiting: Waiting) -> None:
        """Raises ClientClosed; Overloaded where too many wait already."""
        most = self._options.waiting_max
        if len(self._queue) + len(self._put_off) >= most:
            raise Overloaded(f"{most} commands wait in this client already", what="waiting_max")
        self._send(waiting)

    async def close(self) -> None:
        """Answers what is not under way at once, and waits a while for the rest."""
        self._queue.close()
        for waiting, timer in self._put_off.items():
            timer.cancel()
            waiting.close()
        self._put_off.clear()
        task = self._task
        if task is not None:
            if self._session is not None and self._session.opened:
                await asyncio.wait({task}, timeout=self._options.close_timeout_s)
            task.cancel()
            await asyncio.wait({task})
        self._deadlines.stop()

    def _send(self, waiting: Waiting) -> None:
        self._queue.put(waiting)
        self._deadlines.watch(waiting.attempts.deadline)
        if self._task is None or self._task.done():  # done, and `_ended` not yet called
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._ended)

    def _unanswered(self) -> Iterable[Waiting]:
        sent = self._session.unanswered.values() if self._session else ()
        return chain(sent, self._queue)

    async def _run(self) -> None:
        failures = 0
        while len(self._queue):
            session = self._session = Session(
                self._open_call(),
                self._queue,
                self._options.window_max,
                self._budget,
                self._failed,
            )
            error = await session.run()
            failures = 0 if session.moved else failures + 1
            self._settle(session, error)
            self._session = None
            if len(self._queue):
                await asyncio.sleep(self._options.retry.backoff_s(max(failures, 1)))

    def _failed(self, waiting: Waiting, error: GestaError) -> None:
        """The server's answer is an error: it is asked again in a while, or that was its last."""
        waiting.sent = False
        delay_s = None if self._queue.closed else waiting.attempts.delay_s(error)
        if delay_s is None:
            waiting.fail(error)
        else:
            loop = asyncio.get_running_loop()
            self._put_off[waiting] = loop.call_later(delay_s, self._again, waiting)

    def _again(self, waiting: Waiting) -> None:
        del self._put_off[waiting]
        if not waiting.answer.done():
            waiting.again()
            self._send(waiting)

    def _settle(self, session: Session, error: GestaError | None) -> None:
        """The stream has ended. What it left is sent again, unless that would end the same way."""
        left = [each for each in session.unanswered.values() if not each.answer.done()]
        session.unanswered.clear()
        if self._queue.closed:
            for each in left:
                each.close()
            return
        hopeless = error is not None and not may_pass(error)
        again = []
        for each in left:
            if each.attempts.another(hopeless):
                again.append(each)
            else:
                each.fail(each.attempts.unknown(f"the stream broke: {error or 'it ended early'}"))
        self._queue.put_back(again)
        if not session.opened:
            self._queue.count_failure(_unopened(error), hopeless)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Also when the task was cancelled, or died of a bug of ours: nobody may wait for ever."""
        if self._task is task:
            self._task = None
        session, self._session = self._session, None
        for each in session.unanswered.values() if session else ():
            each.close()
        failed = None if task.cancelled() else task.exception()
        if task.cancelled() or failed is not None:
            self._queue.answer_all()
        if failed is not None:
            task.get_loop().call_exception_handler(
                {"message": "gesta's command stream failed", "exception": failed, "task": task}
            )


def _unopened(error: GestaError | None) -> GestaError:
    """Nothing was sent, whatever the error itself says of that."""
    if error is None or may_pass(error):
        return Unreachable(f"no stream could be opened: {error or 'the server ended it'}")
    error.outcome = Outcome.NOT_DONE
    return error
