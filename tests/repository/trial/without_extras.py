"""Prints what one is told who imports projections without their extra."""

try:
    import gesta.projection
except ImportError as error:
    print(error)
else:
    print("imported:", gesta.projection.__name__)
