"""What the parts that everybody needs cost by themselves.

echo     bare grpc.aio: calls, and frames, that are sent back as they came
fan_out  bare grpc.aio: the same frame to many streams
sqlite   bare SQLite: the same rows committed, the same pages read
"""
