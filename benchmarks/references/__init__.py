"""What the parts that everybody needs cost by themselves.

echo     bare grpc.aio: calls, and frames, that are sent back as they came
sqlite   bare SQLite: the same rows committed, the same pages read
"""
