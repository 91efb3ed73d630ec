"""What the tests of the Python client share.

peer    a server of raw frames, for what a sound server never does
"""
