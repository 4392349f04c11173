"""For mypy and firmware/: `object` in an annotation is a part that was passed in, with whatever methods it has.

MicroPython has no `typing`, so the firmware cannot name a protocol. Calls of MicroPython's own modules are checked nevertheless.
"""

from collections.abc import Callable

from mypy.plugin import AnalyzeTypeContext, Plugin
from mypy.types import AnyType, Type, TypeOfAny


class Parts(Plugin):
    """Reads `object` as any type."""

    def get_type_analyze_hook(self, fullname: str) -> Callable[[AnalyzeTypeContext], Type] | None:
        """What mypy asks for each name in an annotation."""
        return _any_type if fullname == "builtins.object" else None


def _any_type(_context: AnalyzeTypeContext) -> Type:
    return AnyType(TypeOfAny.explicit)


def plugin(_version: str) -> type[Plugin]:
    """What mypy calls."""
    return Parts
