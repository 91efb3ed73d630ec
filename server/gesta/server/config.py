"""How a server is set up: every option, with its default and the reason for it."""

import ipaddress
from dataclasses import dataclass, field

from gesta.engine.limits import Limits

MEMORY = ":memory:"
"""In place of a data directory: a log that is gone when the server stops."""


class ConfigError(Exception):
    """A setting that cannot be used; `option` names it."""

    def __init__(self, option: str, detail: str) -> None:
        super().__init__(f"{option}: {detail}")
        self.option = option
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Config:
    """The options of one server. `validate` checks those that can be checked without trying."""

    data: str
    """The directory that holds the log, made where it is missing; or ":memory:"."""

    listen: str = "127.0.0.1:50051"
    """Where to listen. Port 0 takes a free one; the server's `address` tells which."""

    target: str | None = None
    """The module, `module:attribute` or path with the aggregates. None: a pure event store."""

    insecure: bool = False
    """Allow an address that is not loopback, although there is no TLS and no authentication yet:
    whoever reaches the port may do everything."""

    drain_grace_s: float = 10.0
    """How long a stop waits for what was taken in; a commit takes milliseconds, so this is for a
    disk that has stalled. Supervisors commonly kill after 30 s, or after 10 s."""

    streams_per_connection_max: int = 1_000
    """Calls open at once on one connection; more wait in the client."""

    bytes_unread_max: int = 67_108_864
    """Bytes of answers that clients have not read yet, 64 MiB: so many streams of which nobody
    reads anything. Beyond it commands and reads of aggregates are refused until some are read."""

    reads_at_once_max: int = 256
    """ReadEvents and ReadHistory open at once. Each holds three pages of scan_page_bytes at most:
    the one that it delivers, and two that were read ahead."""

    health_watches_max: int = 1_000
    """Health.Watch calls open at once: one for every load balancer, and then some."""

    limits: Limits = field(default_factory=Limits)
    """The engine's limits."""

    def validate(self) -> None:
        """Raise ConfigError for what cannot work or should not be done by accident."""
        host, _ = self.address()
        if not self.insecure and not _is_loopback(host):
            raise ConfigError(
                "listen",
                f"{host} is not a loopback address, and there is no TLS and no authentication yet: "
                "whoever reaches it may read and write everything. If that is meant: --insecure",
            )
        if not self.data:
            raise ConfigError("data", "must name a directory, or be :memory:")
        if self.drain_grace_s < 0:
            raise ConfigError("drain_grace_s", "must not be negative")

    def address(self) -> tuple[str, int]:
        """`listen` in its two parts; the host without brackets. Raises ConfigError."""
        host, colon, port = self.listen.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise ConfigError("listen", f"{self.listen!r} is not HOST:PORT")
        return host, int(port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
