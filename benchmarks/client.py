"""A load client: `python -m benchmarks.client MODULE` runs MODULE's `measure`.

Its arguments are a JSON object on the standard input, and so is what it returns, on the output.
`measure` may be a coroutine function.
"""

import asyncio
import importlib
import inspect
import json
import sys


def main() -> None:
    measure = importlib.import_module(f"benchmarks.{sys.argv[1]}").measure
    found = measure(**json.load(sys.stdin))
    if inspect.iscoroutine(found):
        found = asyncio.run(found)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
