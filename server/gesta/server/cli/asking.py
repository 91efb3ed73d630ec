"""Speaking to a server: one client for one command, and its errors as endings of the command."""

import asyncio
import re
import sys
from collections.abc import Callable, Coroutine
from dataclasses import fields
from enum import Enum
from typing import Any
from uuid import UUID

import typer
from grpc import StatusCode

from gesta.client import (
    Client,
    GestaError,
    Refused,
    RetryPolicy,
    Unreachable,
    Unrecognised,
    connect,
)
from gesta.server.cli.arguments import Schema
from gesta.server.cli.exit_codes import ExitCode, of_client_error
from gesta.server.cli.failure import Failure
from gesta.server.cli.output import abandon

_ATTEMPTS_MAX = 5
"""Somebody waits at a terminal: a server that is not there is reported within a second."""


def ask(
    address: str,
    timeout_s: float,
    work: Callable[[Client], Coroutine[Any, Any, None]],
) -> None:
    """Runs `work`, which prints what it is told. Raises Failure for an error of the server's.

    A reader of stdout that went away, such as `head`, ends the command quietly.
    """
    _check(address)
    try:
        asyncio.run(_with_client(address, timeout_s, work))
    except GestaError as error:
        raise failure_of(error, address) from None
    except BrokenPipeError:
        abandon(sys.stdout)
        raise typer.Exit(ExitCode.OK) from None


def failure_of(error: GestaError, address: str, *, may_have_written: bool = False) -> Failure:
    """`may_have_written`: it was the answer to a command, so its outcome counts. A read has none,
    although some of its errors say UNKNOWN."""
    unsaid = {"message", "reason"} if may_have_written else {"message", "reason", "outcome"}
    return Failure(
        of_client_error(error, may_have_written=may_have_written),
        _told(error, address),
        reason=_reason(error),
        fields={
            each.name: _plain(getattr(error, each.name))
            for each in fields(error)
            if each.name not in unsaid
        },
    )


async def find_schema(client: Client, aggregate_type: str, name: str) -> Schema | None:
    """Of the arguments of a command or query; None where the type has none of that name."""
    (described,) = await client.describe(aggregate_type)
    schemas: dict[str, Schema] = {each.name: each.arguments_schema for each in described.commands}
    schemas |= {each.name: each.arguments_schema for each in described.queries}
    return schemas.get(name)


async def _with_client(
    address: str, timeout_s: float, work: Callable[[Client], Coroutine[Any, Any, None]]
) -> None:
    policy = RetryPolicy(attempts_max=_ATTEMPTS_MAX)
    async with connect(address, timeout_s=timeout_s, retry=policy) as client:
        await work(client)


def _check(address: str) -> None:
    host, _, port = address.rpartition(":")
    if (
        not host
        or not host.isprintable()
        or not port.isascii()
        or not port.isdigit()
        or int(port) > 65_535
    ):
        raise Failure(ExitCode.BAD_INPUT, f"the server's address {address!r} is not HOST:PORT")


def _told(error: GestaError, address: str) -> str:
    if isinstance(error, Unreachable) or _reason(error) == StatusCode.UNAVAILABLE.name:
        return f"no answer from {address} (--server or GESTA_SERVER name another): {error}"
    if not isinstance(error, Refused):
        return str(error)
    details = ", ".join(f"{name}={value}" for name, value in error.details.items())
    text = f"refused by {error.aggregate_type}"
    text += f": {error.message}" if error.message != error.reason else ""
    return f"{text} ({details})" if details else text


def _reason(error: GestaError) -> str:
    """A word for every error: its own, or its class's name in the same spelling."""
    if isinstance(error, Unrecognised):
        return error.code.name
    return error.reason or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).upper()


def _plain(value: object) -> object:
    if isinstance(value, StatusCode):
        return value.name
    if isinstance(value, Enum | UUID):
        return str(value)
    return value
