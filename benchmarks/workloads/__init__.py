"""What gesta is asked to do, through the ordinary client, and checked afterwards; and parts of it.

commands   durable commands by so many callers at once
appending  many events at once, without a command
store      the store alone
batches    what the store is given
loading    one aggregate of many events, with its snapshot and without
seeking    the events of a rare type, by the index and by a scan
"""
