"""The gait package with every arithmetic result checked to be a small integer of a 32-bit MicroPython."""

import ast
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

PACKAGE = "retrostep_core.gait"
# Small integers of a 32-bit MicroPython are 31 bits; the rule here leaves one bit spare.
MOST = 2**30


class TooLarge(AssertionError):
    """A result is beyond +-2**30: on the board it would be allocated."""


def checked(value: Any) -> Any:
    """`value`, unless it is an integer beyond the range."""
    if isinstance(value, int) and not -MOST <= value <= MOST:
        raise TooLarge(f"{value} is no small integer")
    return value


class _Check(ast.NodeTransformer):
    """Wraps the result of every arithmetic operator in checked()."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.BitOr):
            return node
        return ast.Call(ast.Name("checked", ast.Load()), [node], [])

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        source = ast.parse(ast.unparse(node.target), mode="eval").body
        value = ast.Call(ast.Name("checked", ast.Load()), [ast.BinOp(source, node.op, node.value)], [])
        return ast.Assign([node.target], value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
        return self.generic_visit(node)


def _is_checked(name: str) -> bool:
    return name in (PACKAGE, "retrostep_core.intmath", "retrostep_core.directions") or name.startswith(PACKAGE + ".")


class _Loader(importlib.abc.Loader):
    def __init__(self, path: str) -> None:
        self.path = path

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        with open(self.path, encoding="utf-8") as file:
            tree = _Check().visit(ast.parse(file.read()))
        module.__dict__["checked"] = checked
        exec(compile(ast.fix_missing_locations(tree), self.path, "exec"), module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name == PACKAGE or not _is_checked(name):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.origin is None:
            return None
        return importlib.util.spec_from_loader(name, _Loader(spec.origin))


@contextmanager
def checked_engine() -> Iterator[tuple[Any, Any]]:
    """(Engine, Limits) from the checked sources; everything else keeps the usual ones."""
    names = [name for name in sys.modules if _is_checked(name)]
    kept = {name: sys.modules.pop(name) for name in names}
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        engine = importlib.import_module(PACKAGE + ".engine").Engine
        limits = importlib.import_module(PACKAGE + ".limits").Limits
        yield engine, limits
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_checked(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        if PACKAGE in kept:
            sys.modules["retrostep_core"].gait = kept[PACKAGE]  # type: ignore[attr-defined]
