"""The hardware and the operating system: the only folder that imports machine, os, select or time."""

import sys

if sys.implementation.name == "micropython":
    import micropython
else:

    class micropython:  # type: ignore[no-redef]  # there is one or the other
        """The decorator @micropython.viper on CPython. MicroPython makes machine code of the function; here nothing changes."""

        @staticmethod
        def viper(function: object) -> object:
            """`function` itself."""
            return function


# Types of parameters. Only the compiler reads them.
ptr8 = object
ptr16 = object
ptr32 = object


def unload(*modules: str) -> None:
    """Remove modules from RAM that only a start, or a calibration, needs. The next import loads them again."""
    for name in modules:
        if name in sys.modules:
            del sys.modules[name]
            package, _, rest = name.rpartition(".")
            # A package keeps its imported modules as attributes.
            if package in sys.modules and hasattr(sys.modules[package], rest):
                delattr(sys.modules[package], rest)
