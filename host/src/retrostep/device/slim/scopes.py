"""The modules of a program as trees, and what a name means in the place where it stands."""

import ast
from collections.abc import Iterator
from typing import Protocol

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Symbol = tuple[str, str]
Meaning = str | int | Symbol | None
"""A module's name; a number; (module, name) of a global; or nobody knows."""


class Meanings(Protocol):
    """What globals mean."""

    program: "dict[str, Module]"

    def value(self, module: str, name: str) -> Meaning:
        """The meaning of the global `name` of `module`."""


def name_of(path: str) -> str:
    """The module's name by its path on the device: a.b of lib/a/b/__init__.py."""
    return path.removeprefix("lib/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_viper(node: ast.AST) -> bool:
    """Whether this is a function in machine code."""
    return isinstance(node, FUNCTIONS) and any("micropython." in ast.unparse(decorator) for decorator in node.decorator_list)


def source_of(tree: ast.Module) -> bytes:
    """The tree as Python again."""
    return ast.unparse(ast.fix_missing_locations(tree)).encode() + b"\n"


class Module:
    """A file of the program."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.package = path.endswith("/__init__.py")
        self.tree = _Plain().visit(ast.parse(source))


class _Plain(ast.NodeTransformer):
    """Without docstrings and annotations, which MicroPython's compiler passes over."""

    def _body(self, node: ast.Module | ast.ClassDef | Function) -> ast.AST:
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])
        return node

    visit_Module = visit_ClassDef = _body

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """What is for another interpreter goes."""
        self.generic_visit(node)
        test = ast.unparse(node.test)
        if test == "sys.implementation.name != 'micropython'":
            return node.orelse
        return node.body if test == "sys.implementation.name == 'micropython'" else node

    def visit_FunctionDef(self, node: Function) -> ast.AST:
        if is_viper(node):
            return node
        node.returns = None
        for arg in ast.walk(node.args):
            if isinstance(arg, ast.arg):
                arg.annotation = None
        return self._body(node)

    visit_AsyncFunctionDef = visit_FunctionDef


def inner(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node of a scope (module, class, function, lambda) that is evaluated in it; of scopes inside it only their outermost node."""
    if isinstance(scope, (*FUNCTIONS, ast.Lambda)):
        body = scope.body if isinstance(scope.body, list) else [scope.body]
        todo: list[ast.AST] = [*ast.walk(scope.args), *body]
        todo = [node for node in todo if isinstance(node, ast.arg) or node in body]
    else:
        todo = list(scope.body)  # type: ignore[attr-defined]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, FUNCTIONS):
            todo += [*node.decorator_list, *node.args.defaults, *(value for value in node.args.kw_defaults if value)]
        elif isinstance(node, ast.Lambda):
            todo += [*node.args.defaults, *(value for value in node.args.kw_defaults if value)]
        elif isinstance(node, ast.ClassDef):
            todo += [*node.decorator_list, *node.bases, *node.keywords]
        else:
            todo += ast.iter_child_nodes(node)


def bound(node: ast.AST) -> list[str]:
    """The names that this one node binds or deletes in its scope."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ExceptHandler) and node.name:
        return [node.name]
    return []


def imported(program: dict[str, Module], importer: str, node: ast.ImportFrom) -> str:
    """The absolute name of the module that `from ... import` reads."""
    parents = importer.split(".") if program[importer].package else importer.split(".")[:-1]
    base = parents[: len(parents) + 1 - node.level] if node.level else []
    return ".".join([*base, *(node.module.split(".") if node.module else [])])


def modules_of(program: dict[str, Module], importer: str, node: ast.AST) -> list[str]:
    """The absolute names that an import may mean as modules; none for any other node."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = imported(program, importer, node) if importer else str(node.module)
        return [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return []


def reached(program: dict[str, Module], roots: list[ast.Module]) -> dict[str, Module]:
    """The modules that the roots import, and what these import, wherever in them that stands."""
    found: set[str] = set()
    todo = [part for root in roots for node in ast.walk(root) for part in modules_of(program, "", node)]
    while todo:
        name = todo.pop()
        if name in program and name not in found:
            found.add(name)
            todo += [name.rpartition(".")[0]]
            todo += [part for node in ast.walk(program[name].tree) for part in modules_of(program, name, node)]
    return {name: module for name, module in program.items() if name in found}


def acts(program: dict[str, Module], name: str) -> bool:
    """Whether importing the module does something besides naming things."""
    quiet = (ast.Import, ast.ImportFrom, ast.Assign, ast.ClassDef, ast.If, ast.Try, ast.Pass, *FUNCTIONS)
    return name in program and not all(isinstance(node, quiet) for node in program[name].tree.body)


class Scope:
    """What the names of a module, a class or a function stand for, as far as that is certain."""

    def __init__(self, meanings: Meanings, module: str, node: ast.AST | None = None, outer: "Scope | None" = None) -> None:
        self._meanings = meanings
        self.program = meanings.program
        self.module = module
        self.is_class = isinstance(node, ast.ClassDef)
        self._outer = outer
        nodes = list(inner(node or meanings.program[module].tree))
        changed = {name for part in nodes if isinstance(part, (ast.Global, ast.Nonlocal)) for name in part.names}
        binds = [name for part in nodes for name in bound(part)]
        self._names: dict[str, Meaning] = {name: None for name in binds if name not in changed}
        self._global = outer is None
        for part in nodes:
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                for name, meaning in self._of_import(part):
                    if binds.count(name) == 1 and name not in changed:
                        self._names[name] = meaning

    def _of_import(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Meaning]]:
        program = self._meanings.program
        for alias in node.names:
            if isinstance(node, ast.Import):
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or name, name if name in program else None
                continue
            base = imported(program, self.module, node)
            inside = f"{base}.{alias.name}"
            yield alias.asname or alias.name, inside if inside in program else self._meanings.value(base, alias.name)

    @property
    def is_outermost(self) -> bool:
        """Whether this is the module's own."""
        return self._global

    def is_global(self, name: str) -> bool:
        """Whether `name` is one of the module's, seen from here."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._names and (scope is self or not scope.is_class):
                return scope._global
            scope = scope._outer
        return False

    def meaning(self, node: ast.expr) -> Meaning:
        """What a name or an attribute stands for here."""
        if isinstance(node, ast.Name):
            return self._of_name(node.id)
        if isinstance(node, ast.Attribute):
            base = self.meaning(node.value)
            if isinstance(base, str):
                inside = f"{base}.{node.attr}"
                return inside if inside in self._meanings.program else self._meanings.value(base, node.attr)
        return None

    def _of_name(self, name: str, from_inside: bool = False) -> Meaning:
        if name in self._names and not (from_inside and self.is_class):
            meaning = self._names[name]
            return self._meanings.value(self.module, name) if meaning is None and self._global else meaning
        return None if self._outer is None else self._outer._of_name(name, True)


class Resolver(ast.NodeTransformer):
    """Goes through a module with `scope`, in which the node at hand stands."""

    def __init__(self, meanings: Meanings, module: str) -> None:
        self._meanings = meanings
        self.module = module
        self.scope = Scope(meanings, module)

    def _inside(self, node: ast.AST, parts: list[str]) -> ast.AST:
        for field in node._fields:
            if field not in parts:
                self._field(node, field)
        outer, self.scope = self.scope, Scope(self._meanings, self.module, node, self.scope)
        for field in parts:
            self._field(node, field)
        self.scope = outer
        return node

    def _field(self, node: ast.AST, field: str) -> None:
        value = getattr(node, field)
        if isinstance(value, list):
            seen = [self.visit(part) if isinstance(part, ast.AST) else part for part in value]
            value[:] = [part for found in seen for part in (found if isinstance(found, list) else [found])]
        elif isinstance(value, ast.AST):
            setattr(node, field, self.visit(value))

    def visit_FunctionDef(self, node: Function) -> ast.AST:
        return node if is_viper(node) else self._inside(node, ["body"])

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._inside(node, ["body"])

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, ["body"])
