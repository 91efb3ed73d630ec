"""The `gesta` command.

app           the commands together, and how any of them ends
snapshot      what is kept of states beside a log
serve         a server; hosting loads the author's code, lifetime runs it until a signal
execute       a command of an aggregate; dry_run says what it would do
reading       an aggregate's queries, and its state, now or then
history       what happened to an aggregate, and what differs between two versions
events        the log; selection says which part, spelling which names are none, following waits
trace         what belongs together, as a tree; causes makes it one
project       projections: run, rebuild, status, skip
projections   how far those have come that report to the server
copies        backup, restore, verify: a log's copies, and whether they are whole
verify_replay  a log through the code that is to serve it next; progress shows how far it is
describing    what a server hosts, and what it is
arguments     from words of a command line to JSON
options       what several commands can be told
asking        one client for one command, and its errors as endings
exit_codes    what each ending means
failure       an ending that is not success
output        data on stdout, everything else on stderr
"""

from gesta.server.cli.app import main

__all__ = ["main"]
