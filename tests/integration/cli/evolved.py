"""The purse of tests/integration/evolving_purse.py, as its fifth release has it."""

from tests.integration.evolving_purse import release_5

Purse = release_5()
