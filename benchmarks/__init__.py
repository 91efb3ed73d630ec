"""Benchmarks: ratios against references measured in the same run, since machines are noisy.

__main__   `make bench`: rounds, medians, the table of ratios and goals
servers    starts and stops the processes that are measured
echo       the reference: a raw grpc.aio unary echo
load       durable commands through the ordinary client
readback   the log read back by a subscriber
store      the store alone
seeking    the events of a rare type, by the index and by a scan
loading    one aggregate of many events, with its snapshot and without
"""
