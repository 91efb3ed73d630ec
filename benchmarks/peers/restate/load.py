"""Deposits over Restate's HTTP ingress: a connection for each caller, kept alive."""

import asyncio
import time
from typing import Any

from benchmarks.record import share_of

WARM_S = 1.0


async def measure(
    address: str, prefix: str, accounts: int, callers: int, seconds: float
) -> dict[str, Any]:
    """Deposits per second by so many callers over so many keys, and whether none was lost: the
    balance that a last one finds in each account is that of all before it."""
    host, _, port = address.rpartition(":")
    begin = time.perf_counter() + WARM_S
    end = begin + seconds
    turns = iter(range(10**9))
    done: list[tuple[float, float]] = []
    deposits = [0] * accounts

    async def caller() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for turn in turns:
            begun = time.perf_counter()
            if begun >= end:
                break
            await deposit(reader, writer, turn % accounts)
            done.append((begun, time.perf_counter()))
        writer.close()

    async def deposit(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, account: int
    ) -> int:
        writer.write(
            f"POST /Account/{prefix}-{account}/deposit HTTP/1.1\r\nhost: restate\r\n"
            "content-type: application/json\r\ncontent-length: 1\r\n\r\n5".encode()
        )
        balance = int(await _answer(reader))
        deposits[account] += 1
        return balance

    await asyncio.gather(*(caller() for _ in range(callers)))
    reader, writer = await asyncio.open_connection(host, int(port))
    lost = [
        f"account {n} has {balance} after {deposits[n]} deposits of 5"
        for n in range(0, accounts, max(1, accounts // 100))
        if (balance := await deposit(reader, writer, n)) != 5 * deposits[n]
    ]
    spans = sorted(b - a for a, b in done if begin < b <= end)
    return {
        "per_second": len(spans) / seconds,
        "commits": sum(deposits),
        "p50_ms": 1e3 * share_of(spans, 0.5),
        "p99_ms": 1e3 * share_of(spans, 0.99),
        "violations": lost[:5],
    }


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer. Raises RuntimeError for a refusal."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if b"content-length" in fields:
        body = await reader.readexactly(int(fields[b"content-length"]))
    else:
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{head!r} {body!r}")
    return body
