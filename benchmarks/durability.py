"""How it is known of each store that a commit is on the disk before it is answered.

Where strace is, and is allowed to look, the syncs of a server are counted while one caller commits;
elsewhere it is what the peer's own documentation says.
"""

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.peers import umadb
from benchmarks.peers.restate import server as restate
from benchmarks.processes import Unavailable, measured

SECONDS = 2.0
SYNCS = "fsync,fdatasync,sync_file_range,msync"
DOCUMENTED = {
    "UmaDB": "its documentation: each commit syncs pages, then the header",
    "PostgreSQL": "started with its defaults, fsync=on and synchronous_commit=on",
    "Restate": "its defaults: the log's and the partitions' RocksDB sync their journals",
    "eventsourcing": "its default: WAL, and SQLite's synchronous=FULL",
    "bare SQLite": "journal_mode=WAL and synchronous=FULL",
}


@dataclass
class Counted:
    """Syncs of a process; none until the block has ended, and none where nobody may look."""

    calls: dict[str, int] = field(default_factory=dict)
    why_not: str = ""

    def said(self, commits: float) -> str:
        """In words, beside how many commits there were."""
        if not self.calls:
            return ""
        counts = " and ".join(f"{count:,} {name}" for name, count in self.calls.items())
        return f"strace: {counts} for {commits:,.0f} commits of one caller"


async def durability(bench: Bench) -> list[dict[str, str]]:
    """One line for each store."""
    bench.say("syncs, counted by strace")
    missing = {name: f"not here: {why}" for name, why in bench.figures.skipped.items()}
    said = {"gesta": await _gesta(bench), **DOCUMENTED, **missing}
    for name, counted in (("UmaDB", _umadb), ("Restate", _restate)):
        try:
            said[name] = await counted(bench) or said[name]
        except Unavailable as why:
            said[name] = f"not here: {why}"
    stores = ("gesta", *DOCUMENTED)
    return [{"store": store, "known by": said[store]} for store in stores]


async def _gesta(bench: Bench) -> str:
    async with bench.gesta() as server, counting(server.pid, bench.data) as counted:
        found = await measured(
            "workloads.commands",
            address=server.address,
            pid=server.pid,
            accounts=1,
            callers=1,
            seconds=SECONDS,
        )
    said = counted.said(found["commands"] + 1)
    return said or f"synchronous=FULL; not counted, {counted.why_not}"


async def _umadb(bench: Bench) -> str:
    with bench.folder() as data:
        async with umadb.server(data) as server, counting(server.pid, bench.data) as counted:
            found = await measured(
                "peers.umadb", address=server.address, pid=server.pid, threads=1, seconds=SECONDS
            )
    return counted.said(found["commits"])


async def _restate(bench: Bench) -> str:
    with bench.folder() as data:
        async with restate.server(data) as server, counting(server.pid, bench.data) as counted:
            found = await measured(
                "peers.restate.load",
                address=server.address,
                prefix="hot",
                accounts=1,
                callers=1,
                seconds=SECONDS,
            )
    return counted.said(found["commits"])


@asynccontextmanager
async def counting(pid: int, folder: Path) -> AsyncIterator[Counted]:
    """Counts the syncs of a process while the block runs."""
    counted, strace, file = Counted(), shutil.which("strace"), folder / f"strace-{pid}"
    if strace is None:
        counted.why_not = "there is no strace"
        yield counted
        return
    process = await asyncio.create_subprocess_exec(
        *(strace, "-f", "-c", "-e", f"trace={SYNCS}", "-o", str(file), "-p", str(pid)),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    attached = (await process.stderr.readline()).decode()
    try:
        yield counted
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.wait()
    if "attached" not in attached or not file.exists():
        counted.why_not = attached.strip() or "strace could not attach"
        return
    counted.calls = syncs(file.read_text("utf-8"))
    file.unlink()


def syncs(summary: str) -> dict[str, int]:
    """Calls by name, from strace's table."""
    pattern = r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$"
    found = {name: int(calls) for calls, name in re.findall(pattern, summary, re.MULTILINE)}
    found.pop("total", None)
    return found
