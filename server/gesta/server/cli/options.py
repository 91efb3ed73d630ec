"""Options that several commands have."""

from typing import Annotated

import typer

SERVER_DEFAULT = "127.0.0.1:50051"
INT64_MAX = 2**63 - 1
"""The greatest version or position there can be."""
TIMEOUT_S_DEFAULT = 30.0
"""As the client's own."""

Server = Annotated[
    str,
    typer.Option(
        "--server", envvar="GESTA_SERVER", metavar="HOST:PORT", help="Which server to speak to."
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0.001,
        max=86_400,
        help="How long to wait for an answer in all, repeated attempts included.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, errors (on stderr) included.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="name=value|JSON",
        show_default=False,
        help="By name, or all of them as one JSON object.",
    ),
]
AggregateType = Annotated[str, typer.Argument(metavar="TYPE", help="Its type.")]
AggregateId = Annotated[str, typer.Argument(metavar="ID", help="Its id.")]
