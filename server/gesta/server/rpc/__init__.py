"""The RPC edge: each method checks, calls the engine, translates, encodes. No logic.

router             finds the handler of a method
guard              parsing, errors as statuses, an answer on every path
requests           from the contract's messages to the engine's records, with every check
command_service    Execute, BatchExecute, ExecuteStream
execute_stream     one stream of commands
event_service      ReadEvents, Subscribe, AppendEvents
subscription       one subscription
aggregate_service  GetAggregate, QueryAggregate, ListAggregates, DescribeAggregateTypes
server_service     GetServerInfo
health, reflection  the standard services
"""
