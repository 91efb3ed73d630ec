"""A load client: `python -m benchmarks.client MODULE` runs MODULE's `measure`.

Its arguments are a JSON object on the standard input, and so is what it returns, on the output.
`measure` may be a coroutine function. Its loop is uvloop where that is installed, as the server's.
"""

import asyncio
import importlib
import inspect
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec


def main() -> None:
    measure = importlib.import_module(f"benchmarks.{sys.argv[1]}").measure
    found = measure(**json.load(sys.stdin))
    if inspect.iscoroutine(found):
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            found = runner.run(found)
    print(json.dumps(found))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Of uvloop; None, for asyncio's own, where it is not installed."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
