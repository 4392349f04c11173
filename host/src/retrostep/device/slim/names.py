"""Short names, and few of them, for what only our own modules see: MicroPython keeps every distinct name for ever.

`with_shared_names` renames
  - attributes, methods, functions and classes that begin with one underscore;
  - attributes that are asked of `self` alone, and of nothing else anywhere.
The same old name gets the same new one everywhere; several old names share a new one where they never meet.

`with_few_arguments` renames
  - arguments that no call passes by name: from function to function the same few.

It must never change what the program does. So a name keeps itself where a string spells it, or a file that stays as it is (main.py,
boot.py) has it, or a viper function; and where it begins with two underscores. Names meet that stand in one file, or in files of which
one inherits from the other's class; a module's own meet those of its folder; what is asked of any object but `self` meets every other.
"""

import ast
import builtins
import itertools
import keyword
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from retrostep.device.slim.scopes import FUNCTIONS, Function, bound, inner, is_viper, source_of


def with_shared_names(files: dict[str, bytes], fixed: Iterable[bytes]) -> dict[str, bytes]:
    """`files` ({path on the device: source}) with new private names; `fixed` are sources that stay as they are."""
    trees = {path: ast.parse(source) for path, source in files.items()}
    kept = {name for source in fixed for name in _names(ast.parse(source))} | {name for tree in trees.values() for name in _spelled(tree)}
    new = _shared(trees, kept)
    for tree in trees.values():
        _Renamer(new).visit(tree)
    return {path: source_of(tree) for path, tree in trees.items()}


def with_few_arguments(files: dict[str, bytes], fixed: Iterable[bytes]) -> dict[str, bytes]:
    """The same with new names of arguments."""
    trees = {path: ast.parse(source) for path, source in files.items()}
    calls = [ast.walk(tree) for tree in [*trees.values(), *map(ast.parse, fixed)]]
    by_name = {node.arg for nodes in calls for node in nodes if isinstance(node, ast.keyword)}
    if None in by_name:  # a call passes a whole dictionary: nobody knows which names
        return files
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, FUNCTIONS) and not is_viper(node):
                _rename_arguments(node, by_name)
    return {path: source_of(tree) for path, tree in trees.items()}


def _names(tree: ast.AST) -> Iterator[str]:
    """Every name in the tree, once for each time that it stands there."""
    for node in ast.walk(tree):
        yield from _own_names(node)


def _own_names(node: ast.AST) -> Iterator[str]:
    """The names that one node itself holds."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, (ast.arg, ast.keyword)):
        yield node.arg or ""
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.alias):
        yield from node.name.split(".")
        yield node.asname or ""
    elif isinstance(node, ast.ExceptHandler):
        yield node.name or ""
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from node.names


def _spelled(tree: ast.AST) -> Iterator[str]:
    """Names that must stay because a string holds them, or machine code uses them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif is_viper(node):
            yield from _names(node)


def _is_private(name: str) -> bool:
    return len(name) > 2 and name.startswith("_") and not name.startswith("__")


def _short() -> Iterator[str]:
    """a, b, ... z, aa, ab, ..."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    for length in itertools.count(1):
        yield from ("".join(word) for word in itertools.product(letters, repeat=length))


def _shared(trees: dict[str, ast.Module], kept: set[str]) -> dict[str, str]:
    """{old private name: new name}."""
    group = _families(trees)
    at_home = _only_of_self(trees)
    places: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for name in _names(tree):
            if (_is_private(name) or name in at_home) and name not in kept:
                places.setdefault(name, set()).add(group[path])
    for path, tree in trees.items():
        for name in (name for node in inner(tree) for name in bound(node) if name in places):
            places[name] |= {group[other] for other in trees if PurePath(other).parent == PurePath(path).parent}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in places and not _is_of_self(node):
                places[node.attr] = set(group.values())
    taken = kept | {name for tree in trees.values() for name in _names(tree)} | set(dir(builtins)) | set(keyword.kwlist)
    new: dict[str, str] = {}
    used: dict[str, set[str]] = {}
    free = ("_" + word for word in _short() if "_" + word not in taken)
    for old in sorted(places, key=lambda name: (-len(places[name]), name)):
        apart = [name for name, where in used.items() if where.isdisjoint(places[old])]
        new[old] = apart[0] if apart else next(free)
        used.setdefault(new[old], set()).update(places[old])
    return new


def _is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def _only_of_self(trees: dict[str, ast.Module]) -> set[str]:
    """Names of attributes that stand nowhere but behind `self`, and are written there: as good as private."""
    written, elsewhere = set(), set(dir(BaseException))
    for node in (node for tree in trees.values() for node in ast.walk(tree)):
        if isinstance(node, ast.Attribute) and _is_of_self(node):
            if isinstance(node.ctx, ast.Store):
                written.add(node.attr)
        elif isinstance(node, ast.Attribute):
            elsewhere.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            elsewhere |= {name for part in inner(node) for name in bound(part)}
    return {name for name in written - elsewhere if len(name) > 2 and not name.startswith("_")}


def _families(trees: dict[str, ast.Module]) -> dict[str, str]:
    """{path: one path that stands for all files whose classes inherit from one another}."""
    group = {path: path for path in trees}
    owner: dict[str, list[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                owner.setdefault(node.name, []).append(path)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for name in (name for base in node.bases for name in _names(base)):
                    for other in owner.get(name, []):
                        old, kept = group[other], group[path]
                        group = {file: kept if where == old else where for file, where in group.items()}
    return group


class _Renamer(ast.NodeVisitor):
    """Puts the new names where the old ones stand."""

    def __init__(self, new: dict[str, str]) -> None:
        self._new = new

    def generic_visit(self, node: ast.AST) -> None:
        if is_viper(node):
            return
        for field in ("id", "attr", "arg", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str) and name in self._new and (field == "attr" or name.startswith("_")):
                setattr(node, field, self._new[name])
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [self._new.get(name, name) for name in node.names]
        super().generic_visit(node)


def _rename_arguments(function: Function, by_name: set[str | None]) -> None:
    """New names for the arguments of one function, in it and in what stands inside it."""
    arguments = function.args
    if arguments.kwonlyargs or arguments.kwarg:
        return
    inside = [part for statement in function.body for part in ast.walk(statement)]
    blocked = {name for part in inside if isinstance(part, (*FUNCTIONS, ast.Lambda, ast.ClassDef)) for name in _rebound(part)}
    blocked |= {name for part in inside if isinstance(part, (ast.Global, ast.Nonlocal)) for name in part.names}
    comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for part in inside:
        if isinstance(part, comprehensions):
            blocked |= {node.id for node in ast.walk(part) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        elif isinstance(part, (ast.Import, ast.ImportFrom)):
            blocked |= {alias.asname or alias.name.partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.ExceptHandler):
            blocked.add(part.name or "")
    taken = set(_names(function)) | set(dir(builtins)) | set(keyword.kwlist) | {name for name in by_name if name}
    free = (word for word in _short() if word not in taken)
    new = {}
    for arg in [*arguments.posonlyargs, *arguments.args, *([arguments.vararg] if arguments.vararg else [])]:
        if arg.arg != "self" and arg.arg not in blocked and arg.arg not in by_name:
            new[arg.arg] = next(free)
            arg.arg = new[arg.arg]
    for part in inside:
        if isinstance(part, ast.Name):
            part.id = new.get(part.id, part.id)


def _rebound(scope: ast.AST) -> Iterator[str]:
    """Names that a scope inside the function makes its own."""
    if isinstance(scope, (*FUNCTIONS, ast.ClassDef)):
        yield scope.name
    for node in ast.walk(scope):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
