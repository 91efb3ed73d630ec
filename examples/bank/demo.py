"""The demo: a server, a load of commands, a live subscriber, and the proof that all agree."""

import asyncio
import tempfile
from pathlib import Path

from examples.bank.berka import czk
from examples.bank.ledger import Figures, Listener, LogFigures, figures_by_log, figures_by_state
from examples.bank.load import CALLERS, CONNECTIONS, Load
from examples.bank.local_server import local_server
from examples.bank.progress import progress_bar
from rich.console import Console
from rich.table import Table

from gesta.client import Client, connect

TICK_S = 0.1  # how often the progress bar moves
DIFFERENCES_SHOWN = 10


async def run_demo(commands: int, out: Console, progress_out: Console) -> bool:
    """Runs it and tells about it on `out`. Returns whether the three ways agree."""
    load = Load(commands)
    with tempfile.TemporaryDirectory(prefix="gesta-demo-") as folder:
        async with local_server(Path(folder)) as address:
            _introduce(out, load, folder, address)
            listener = Listener()
            async with connect(address) as client:
                await _run(load, listener, address, client, progress_out)
                by_state = await figures_by_state(client, load.account_ids)
                by_log = await figures_by_log(client)
    out.print(_results(load, by_log))
    ways = {
        "what the subscriber heard, live": listener.accounts,
        "what the accounts' state says": by_state,
        "what the log says, read once more ": by_log.accounts,
    }
    return prove(out, load.account_ids, ways)


def prove(out: Console, account_ids: list[str], ways: dict[str, dict[str, Figures]]) -> bool:
    """Compares every account's figures in all ways, says what came of it, and returns whether they
    agree. An account that a way has not heard of differs."""
    out.print()
    for way, accounts in ways.items():
        balance = sum(figures.balance for figures in accounts.values())
        transactions = sum(figures.transaction_count for figures in accounts.values())
        out.print(f"{way:<35}{transactions:,} transactions, {czk(balance)} CZK in all")
    different = 0
    for account_id in sorted(set(account_ids).union(*ways.values())):
        found = [accounts.get(account_id) for accounts in ways.values()]
        if None in found or len(set(found)) > 1:
            different += 1
            if different <= DIFFERENCES_SHOWN:
                out.print(f"{account_id} differs: {found}")
    if different:
        out.print(f"\nFAILED: {different:,} of {len(account_ids):,} accounts differ.")
    else:
        out.print(
            f"\nPROVED: in each of {len(account_ids):,} accounts, the three agree to the heller."
        )
    return not different


def _introduce(out: Console, load: Load, folder: str, address: str) -> None:
    out.print(
        "A bank on gesta, under load. Each account has an actor of its own, which decides on the\n"
        "account's commands one by one. An answer is given once the events are on the disk, and a\n"
        "subscriber hears of them as they happen.\n\n"
        f"server    `gesta serve examples.bank`, a process of its own at {address}\n"
        f"data      {folder} (a temporary folder, removed at the end)\n"
        f"load      {load.commands:,} commands: {CALLERS} callers at once, over {CONNECTIONS} "
        f"connections, on {len(load.account_ids):,} accounts\n"
    )


async def _run(
    load: Load, listener: Listener, address: str, client: Client, progress_out: Console
) -> None:
    """Returns when every command is answered and the listener has heard of them all."""
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listener.listen(client))
        group.create_task(_show(load, progress_out))
        await load.run(address)
        await listener.reach((await client.info()).head)
        listening.cancel()


async def _show(load: Load, out: Console) -> None:
    # By the clock: to move the bar at each answer would cost more than the answer.
    shown = 0
    with progress_bar(out, "commands", load.commands) as advance:
        while shown < load.commands:
            await asyncio.sleep(TICK_S)
            advance(load.answered - shown)
            shown = load.answered


def _results(load: Load, log: LogFigures) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, figure in (
        ("commands/s", f"{load.answered / load.seconds:,.0f}"),
        ("commands", f"{load.answered:,}"),
        ("refused by the bank", f"{load.refused:,}"),
        ("events", f"{log.events:,}"),
        ("commits (one fsync each)", f"{log.commits:,}"),
        ("events per commit", f"{log.events / log.commits:,.1f}"),
        ("latency p50", f"{load.latency_ms(0.50):,.1f} ms"),
        ("latency p99", f"{load.latency_ms(0.99):,.1f} ms"),
    ):
        table.add_row(name, figure)
    return table
