"""What the log says of a checkpoint that it does not have."""

from collections.abc import Generator
from contextlib import contextmanager

from gesta.client import InvalidRequest, LogRestored, OutOfRange
from gesta.projection.errors import CheckpointUndone


@contextmanager
def translated(name: str, position: int) -> Generator[None, None, None]:
    """Makes CheckpointUndone of the server's answers to such a token; other errors pass."""
    try:
        yield
    except LogRestored as error:
        raise CheckpointUndone(name, position, error.fork_position, str(error)) from error
    except OutOfRange as error:
        raise CheckpointUndone(name, position, error.last, str(error)) from error
    except InvalidRequest as error:
        if not error.field.endswith("token"):
            raise
        raise CheckpointUndone(name, position, None, str(error)) from error
