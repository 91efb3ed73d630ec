"""The `gesta` command.

app           the commands together, and how any of them ends
serve         a server; hosting loads the author's code, lifetime runs it until a signal
exit_codes    what each ending means
failure       an ending that is not success; output prints it, and everything else
"""

from gesta.server.cli.app import main

__all__ = ["main"]
