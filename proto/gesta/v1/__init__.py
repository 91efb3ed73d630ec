"""The contract: what crosses the wire, and the stubs made from it (`make proto`)."""
