"""How far something is that takes long, for whoever watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if that is a terminal, and nothing otherwise; yields what moves it."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield lambda done: None
        return
    with _bars(screen) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def progress_by_part() -> Iterator[Callable[[str, int, int], None]]:
    """The same for several things one after the other, each with a bar of its own."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield lambda part, done, total: None
        return
    with _bars(screen) as bar:
        tasks: dict[str, TaskID] = {}

        def moved(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bar.add_task(part, total=total)
            bar.update(tasks[part], completed=done, total=total)

        yield moved


def _bars(screen: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, TimeRemainingColumn(), console=screen, transient=True)
