"""What must hold of every bad input: a reason, nothing written, nothing leaked, all else well."""

import re
from collections.abc import AsyncIterable, Awaitable
from typing import Any

import grpc
from tests.integration.edge.caller import Caller, Problem, problem_of

LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|msgspec|protobuf|gesta\.\w|<class|object at 0x"
    r"|Error\b|Exception|the_secret|__|\bself\b|/work|/tmp|/usr"
)
"""What would tell of the inside: Python's names, files, the text of somebody's exception."""


async def refused(caller: Caller, call: Awaitable[Any]) -> Problem:
    """The problem that a call ends with; the log and the server are as they were."""
    head = await caller.head()
    problem = await failed(call)
    assert problem.outcome == "NOT_DONE"
    assert await caller.head() == head
    return problem


async def failed(call: Awaitable[Any]) -> Problem:
    """The problem that a call ends with, which leaks nothing."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        problem = problem_of(error)
    else:
        raise AssertionError("it was not refused")
    assert not LEAKS.search(problem.message), problem.message
    return problem


async def all_of(frames: AsyncIterable[Any]) -> list[Any]:
    """A stream's frames, to its end."""
    return [frame async for frame in frames]
