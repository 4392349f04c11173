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


def unload(names: str, folder: str = "") -> None:
    """Remove modules from RAM that are seldom needed; the next import loads them again.

    names    of modules, with a space between two: one string takes less RAM than many
    folder   the package before each name, with its dot
    """
    for name in names.split():
        name = folder + name
        if name in sys.modules:
            del sys.modules[name]
            package, _, rest = name.rpartition(".")
            # A package keeps its imported modules as attributes.
            if package in sys.modules and hasattr(sys.modules[package], rest):
                delattr(sys.modules[package], rest)


def save_limits(limits: object) -> None:
    """Keep `limits` in settings.json (hal/settings.py). OSError if it cannot be written."""
    from hal import settings

    settings.save_limits(limits)
    unload("hal.settings")


def save_mount(mount: str) -> None:
    """Keep a calibrated mount such as "+y+z+x", like `save_limits`."""
    from hal import settings

    settings.save_mount(mount)
    unload("hal.settings")
