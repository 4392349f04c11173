"""Modules that only the start needs are let go again: on a board their code lives in the heap."""

import sys


def forget(prefix: str) -> None:
    """Drop every loaded module whose name is `prefix` or begins with it and a dot; their memory is free once nobody uses them."""
    for name in list(sys.modules):
        if name == prefix or name.startswith(prefix + "."):
            del sys.modules[name]
            package, _, rest = name.rpartition(".")
            # A package keeps what was imported from it as an attribute.
            if package in sys.modules and hasattr(sys.modules[package], rest):
                delattr(sys.modules[package], rest)


def forget_since(known: set) -> None:
    """Drop every module that was loaded since `known` was set(sys.modules)."""
    for name in list(sys.modules):
        if name not in known:
            forget(name)
