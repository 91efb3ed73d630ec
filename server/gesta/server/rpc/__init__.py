"""The RPC edge: each method checks, calls the engine, translates, encodes. No logic.

router             finds the handler of a method
guard              parsing, errors as statuses, an answer on every path
requests           from the contract's messages to the engine's records, with every check
proposals          the events of an append among them
fields             the form of fields that requests have in common
filters            filters, checked
tracing            the trace context of a call
command_service    Execute, BatchExecute, ExecuteStream
intake             the queue of what was read, in front of the engine
execute_stream     one stream of commands
batch              the answers to one BatchExecute
results            answers as results, and what they count for
slots              how many calls of a kind may be open at once
unread             the one budget of bytes of answers that nobody has read yet
event_service      ReadEvents, Subscribe, AppendEvents
subscription       one subscription
aggregate_service  GetAggregate, QueryAggregate, ListAggregates, DescribeAggregateTypes
projection_service  ReportCheckpoint, ListProjections, WaitForProjection
waiting            waiting for projections, in a call or before a command is answered
history            what looks back: ReadHistory, DryRun
server_service     GetServerInfo
health, reflection  the standard services
"""
