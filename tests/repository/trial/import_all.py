"""Imports every module of gesta that needs nothing but its dependencies: prints them."""

import importlib
import pkgutil

import gesta

NEEDS_HYPOTHESIS = {"gesta.testing.stateful", "gesta.testing.strategies"}

names = [module.name for module in pkgutil.walk_packages(gesta.__path__, "gesta.")]
for name in names:
    if name not in NEEDS_HYPOTHESIS:
        importlib.import_module(name)
print("\n".join(names))
