"""What can be set on a client, with the reason for each default."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

import grpc

from gesta.client.retry import RetryPolicy

FRAME_BYTES_MAX = 256 * 1024
"""Of a frame of commands: it is parsed in one go at the server, which must not hold up others."""
FRAME_COMMANDS_MAX = 512
"""Past a hundred a command's share of the frame's own cost is below 1 µs already."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The keyword arguments of `connect`."""

    timeout_s: float = 30.0
    """For each call that gives none of its own, retries included."""
    batching: bool = True
    """Whether concurrent commands share frames of one stream. False: a call for each."""
    streams: int = 1
    """Streams for commands. An aggregate's commands always share one, which keeps their order.
    More than one pays only where one connection's round trip, not the server, is the limit."""
    window_max: int = 4_096
    """Commands that may be unanswered on one stream; the server's own window, if less, rules."""
    waiting_max: int = 100_000
    """Commands that may wait in this client for room in the window. More are refused as Overloaded
    at once: a queue that only grows is an outage that is not reported."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    retry_tokens_max: int = 1_000
    """Retries after an answer such as OVERLOADED that may be made in one burst; see RetryBudget."""
    close_timeout_s: float = 5.0
    """How long closing waits for the answers to commands that were sent."""
    message_bytes_max: int = 16 * 1024 * 1024
    """Of one received message. Four times the largest that gesta sends, so that gesta's limits,
    which come with a reason, are met before gRPC's, which do not. gRPC's own default is 4 MiB."""
    metadata_bytes_max: int = 32 * 1024
    """Received headers or trailers. Over the limit an error would lose its details and its code."""
    keepalive_s: float = 30.0
    """A ping after this long without traffic while a call is open; servers refuse pings more often
    than every 5 s. Finds a peer that vanished without a word."""
    keepalive_timeout_s: float = 10.0
    """How long a ping may go unanswered before the connection counts as broken."""
    credentials: grpc.ChannelCredentials | None = None
    """For TLS; None: plain text."""
    current_traceparent: Callable[[], str | None] | None = None
    """Asked for the W3C trace context of every command and append that is given none; what it
    raises, the caller gets. None: gesta knows no tracing library."""

    def __post_init__(self) -> None:
        for name in ("streams", "window_max", "waiting_max", "message_bytes_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.timeout_s <= 0:
            raise ValueError(f"timeout_s must be positive, not {self.timeout_s}")

    def channel_arguments(self) -> list[tuple[str, str | int]]:
        """As grpc takes them. What is not here is grpc's default, BDP probing among it: without it
        a stream is held to 64 KiB in flight, which starves a reader on a slow line."""
        return [
            ("grpc.enable_retries", 0),  # grpc would repeat what only a command id makes safe
            ("grpc.max_receive_message_length", self.message_bytes_max),
            ("grpc.max_send_message_length", self.message_bytes_max),
            ("grpc.max_metadata_size", self.metadata_bytes_max // 2),  # begins to refuse here,
            ("grpc.absolute_max_metadata_size", self.metadata_bytes_max),  # refuses all here
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_timeout_s * 1000)),
            ("grpc.http2.max_pings_without_data", 0),  # else pings stop after two, unannounced
            # A restarted server is found again within 2 s; grpc's default grows to two minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            # Channels with equal arguments share a connection; a client's closing and its flow
            # control are its own.
            ("grpc.use_local_subchannel_pool", 1),
        ]


class ClientOptions(TypedDict, total=False):
    """The same names for type checkers, as the keywords of `connect`; see Options."""

    timeout_s: float
    batching: bool
    streams: int
    window_max: int
    waiting_max: int
    retry: RetryPolicy
    retry_tokens_max: int
    close_timeout_s: float
    message_bytes_max: int
    metadata_bytes_max: int
    keepalive_s: float
    keepalive_timeout_s: float
    credentials: grpc.ChannelCredentials | None
    current_traceparent: Callable[[], str | None] | None
