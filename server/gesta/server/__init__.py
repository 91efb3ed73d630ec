"""The edge: gRPC, configuration, the process. The only room of the server that imports grpc.

rpc/      the services
status    the one table from the engine's errors to gRPC
wire      events and answers as bytes
config    every option
process   start and stop
tuning    settings of the interpreter
cli/      the `gesta` command
"""

from gesta.server.config import Config, ConfigError
from gesta.server.process import Server

__all__ = ["Server", "Config", "ConfigError"]
