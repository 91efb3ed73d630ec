"""One run: where data goes, how much is measured, what was found so far."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures
from benchmarks.processes import Running, measured, running

BUILD_S = 1_800
"""What ten million events take on a slow disk, once."""


@dataclass
class Bench:
    """Handed to every stage, once a round."""

    data: Path
    """Where logs are made: on the disk that matters."""
    cache: Path
    """Where large logs are kept from run to run."""
    seconds: float
    """Of each load in each round."""
    quick: bool = False
    soak_minutes: float = 1.0
    figures: Figures = field(default_factory=Figures)
    say: Callable[[str], object] = print
    """Told what is being measured."""

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty one, gone afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self.data))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @asynccontextmanager
    async def gesta(self, *options: str, data: Path | None = None) -> AsyncIterator[Running]:
        """The bank, served over a new log, or the one in `data`."""
        with self.folder() as folder:
            arguments = ("serve", "examples.bank", "--data", str(data or folder), *options)
            async with running("gesta.server", *arguments, "--listen", "127.0.0.1:0") as server:
                yield server

    async def built(self, events: int, aggregates: int) -> Path:
        """The folder of a log of so many, kept from run to run: read it, or copy it."""
        folder = self.cache / f"log-{events}-{aggregates}"
        self.say(f"a log of {events:,} events")
        await measured("workloads.building", data=str(folder), events=events, aggregates=aggregates)
        return folder

    async def load(
        self, name: str, module: str, figure: str = "per_second", **arguments: Any
    ) -> dict[str, Any]:
        """Measures with a client of its own, and adds its figure, with times where it has some."""
        self.say(name)
        found = await measured(module, **arguments)
        broken = found.get("violations", [])
        self.figures.add(name, found[figure], broken)
        for share in ("p50", "p99"):
            if f"{share}_ms" in found:
                self.figures.add(f"{name}, {share}", found[f"{share}_ms"], broken)
        if "server_us" in found:
            self.figures.add(f"{name}, server", found["server_us"], broken)
            self.figures.add(f"{name}, client", found["client_us"], broken)
        return found
