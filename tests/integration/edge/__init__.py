"""What the tests of the edge share: raw stubs, servers, and an aggregate that does as it is told.

tally     the aggregate
bulk      another, whose replies and states are as large as one asks
caller    one channel with every generated stub on it, and errors taken apart
hosting   a server in this process
stalling  what a process hosts whose disk stalls, or whose code gets stuck
process   a server as a process of its own, to be stopped and killed
stream    one ExecuteStream, frame by frame
"""
