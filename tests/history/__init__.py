"""Did the server keep its word? What clients were told, held against one full read of the log.

history     what was asked, what was answered, what was seen, and when
recording   a client that keeps such a history as it goes
log         the events of the log, taken apart and indexed in one pass
checker     every promise, in time proportional to what happened
violation   the kinds of broken promises
"""
