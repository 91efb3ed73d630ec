"""What gesta is asked to do, through the ordinary client, and checked afterwards; and parts of it.

commands     durable commands by so many callers at once
appending    many events at once, without a command
paced        commands at a given rate
catching_up  a long log, read by one client
projecting   a projection that catches up
fan_out      live subscribers under load
large        commands and reads on a log, new or large
cold         first commands on accounts that are not in memory
waking       every account taken into memory
idle         accounts in memory of which nobody asks anything
soak         a mixed load for a long time
overload     three times what the server can do
bystander    a caller with few commands, beside such a load
building     makes large logs, and keeps them
head         where a log stands
engine       the engine alone
store        the store alone
batches      what the store is given
loading      one aggregate of many events, with its snapshot and without
seeking      the events of a rare type, by the index and by a scan
"""
