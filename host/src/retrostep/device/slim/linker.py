"""One program out of a compiled board's modules: every name that a module offers costs a board memory, whether it is used or not.

MicroPython keeps each distinct name for ever and each module's names in a table. `linked` therefore
  - puts a whole number that a module names once (`STEPS = 2`) in the place of its name, in every module that asks for it;
  - leaves out modules that main.py does not reach, and functions, classes, methods, constants and imports that nothing left mentions.

It must never change what the program does. So it touches no name that anything binds twice, deletes or declares global, none that is
written as an attribute, nothing inside viper functions, whose numbers have types. What an object is nobody knows: `x.name` anywhere,
main.py and boot.py included, keeps everything of that name in every module, and so does a string of a file that looks names up at run
time (getattr and its like).
"""

import ast
from collections.abc import Iterable, Iterator

from retrostep.device.slim.scopes import (
    FUNCTIONS,
    Function,
    Module,
    Resolver,
    Scope,
    acts,
    bound,
    imported,
    inner,
    is_viper,
    modules_of,
    name_of,
    reached,
    source_of,
)

REFLECTION = {"getattr", "setattr", "hasattr", "delattr", "globals", "locals", "vars", "eval", "exec", "__import__"}
CALLED_BY_INTERPRETER = {"read", "readinto", "readline", "write", "flush", "close", "ioctl", "seek", "readblocks", "writeblocks"}
"""What C code calls on a stream or a block device by its name."""

PURE = {"namedtuple", "range", "bytes", "bytearray", "tuple", "const"}
"""Calls whose result is all that they do."""

LITERAL = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Name, ast.Attribute, ast.Call, ast.Starred)
OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)


def linked(files: dict[str, bytes], fixed: Iterable[bytes]) -> dict[str, bytes]:
    """What is left of `files` ({path on the device: source}); `fixed` are sources that stay as they are and begin it all."""
    roots = [ast.parse(source) for source in fixed]
    program = {name_of(path): Module(path, source) for path, source in files.items()}
    program = reached(program, roots)
    constants = _Constants(program)
    for name, module in program.items():
        _Numbers(constants, name).visit(module.tree)
    count = 0
    while count != (count := _size(program)):
        _prune(program, roots)
        program = reached(program, roots)
    return {module.path: source_of(module.tree) for module in program.values()}


class _Constants:
    """The whole numbers of the program's modules, and what the names of a scope stand for."""

    def __init__(self, program: dict[str, Module]) -> None:
        self.program = program
        everything = [node for module in program.values() for node in ast.walk(module.tree)]
        written = {node.attr for node in everything if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)}
        self._values: dict[tuple[str, str], ast.expr | int | None] = {}
        for name, module in program.items():
            reflective = _strings(module.tree)
            changed = [names for node in ast.walk(module.tree) if isinstance(node, ast.Global) for names in node.names]
            names = [*(bind for node in inner(module.tree) for bind in bound(node)), *changed]
            for target, value in _assigned(module.tree):
                if names.count(target) == 1 and target not in written and target not in reflective:
                    self._values[name, target] = value

    def value(self, module: str, name: str) -> int | None:
        """What `name` is in `module`; None where it is no constant."""
        value = self._values.get((module, name))
        if isinstance(value, ast.expr):
            self._values[module, name] = None  # a value that refers to itself is none
            value = self._values[module, name] = self._whole(value, Scope(self, module))
        return value

    def _whole(self, node: ast.expr, scope: "Scope") -> int | None:
        if isinstance(node, ast.Constant):
            return node.value if type(node.value) is int else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const" and len(node.args) == 1:
            return self._whole(node.args[0], scope)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self._whole(node.operand, scope)
            return None if value is None else -value
        if isinstance(node, ast.BinOp):
            left, right = self._whole(node.left, scope), self._whole(node.right, scope)
            return None if left is None or right is None else _calculated(node.op, left, right)
        found = scope.meaning(node)
        return found if isinstance(found, int) else None


def _calculated(operator: ast.operator, left: int, right: int) -> int | None:
    if isinstance(operator, (ast.FloorDiv, ast.Mod)) and right:
        return left // right if isinstance(operator, ast.FloorDiv) else left % right
    if isinstance(operator, (ast.LShift, ast.RShift)) and 0 <= right < 64:
        return left << right if isinstance(operator, ast.LShift) else left >> right
    simple = {ast.Add: left + right, ast.Sub: left - right, ast.Mult: left * right, ast.BitOr: left | right, ast.BitAnd: left & right}
    return simple.get(type(operator))


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) of the module's plain assignments; `A, B = range(2)` and `A, B = 0, 1` are two."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name):
            yield target.id, value
        elif isinstance(target, ast.Tuple) and all(isinstance(part, ast.Name) for part in target.elts):
            names = [part.id for part in target.elts if isinstance(part, ast.Name)]
            if isinstance(value, ast.Tuple) and len(value.elts) == len(names):
                yield from zip(names, value.elts, strict=True)
            elif isinstance(value, ast.Call) and ast.unparse(value) == f"range({len(names)})":
                yield from ((name, ast.Constant(place)) for place, name in enumerate(names))


class _Numbers(Resolver):
    """Puts constants in the place of their names."""

    def _number(self, node: ast.Name | ast.Attribute) -> ast.AST:
        value = self.scope.meaning(node) if isinstance(node.ctx, ast.Load) else None
        if isinstance(value, int):
            return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)
        return self.generic_visit(node)

    visit_Name = visit_Attribute = _number


def _strings(tree: ast.AST) -> set[str]:
    """The strings of a file that looks names up by strings."""
    nodes = list(ast.walk(tree))
    if not any(isinstance(node, ast.Name) and node.id in REFLECTION for node in nodes):
        return set()
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _mentioned(nodes: Iterable[ast.AST], strings: set[str]) -> tuple[set[str], set[str]]:
    """(names that these nodes read as the module's, names that they ask of some object); not what is a function's own.

    A string of those which may be such names is asked of an object.
    """
    read: set[str] = set()
    asked: set[str] = set()
    todo: list[tuple[ast.AST, frozenset[str]]] = [(node, frozenset()) for node in nodes]
    while todo:
        node, own = todo.pop()
        if isinstance(node, ast.Name) and node.id not in own:
            read.add(node.id)
        elif isinstance(node, ast.Attribute):
            asked.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in strings:
            asked.add(node.value)
        parts = list(ast.iter_child_nodes(node))
        if isinstance(node, FUNCTIONS):
            todo += [(part, own) for part in parts if part not in node.body]
            parts = list(node.body)
            own |= _locals(node)
        todo += [(part, own) for part in parts]
    return read, asked


def _locals(function: Function) -> frozenset[str]:
    """A function's own names; what it imports is not."""
    nodes = list(inner(function))
    others = {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    others |= {name for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for name in bound(node)}
    return frozenset(name for node in nodes for name in bound(node) if name not in others)


def _size(program: dict[str, Module]) -> int:
    return sum(1 for module in program.values() for _ in ast.walk(module.tree))


def _is_plain(value: ast.expr) -> bool:
    """Whether nothing happens when this is evaluated, but that it is there."""
    for node in ast.walk(value):
        if not isinstance(node, (*LITERAL, *OPERATIONS)):
            return False
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in PURE):
            return False
    return True


class _Unit:
    """Something that can be left out: what it is called (nothing: it stays), what else it mentions, and the class it belongs to."""

    def __init__(self, node: ast.stmt, names: list[str], parts: list[ast.AST], owner: "_Unit | None", strings: set[str]) -> None:
        self.node = node
        self.names = names
        self.read, self.asked = _mentioned(parts, strings)
        self.owner = owner
        self.live = False


def _units(tree: ast.Module) -> list[_Unit]:
    strings = _strings(tree)
    units = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, FUNCTIONS)]
            rest = [part for part in node.body if part not in methods]
            unit = _Unit(node, [node.name], [*node.bases, *node.keywords, *node.decorator_list, *rest], None, strings)
            units.append(unit)
            for method in methods:
                by_name = method.name.startswith("__") or method.name in CALLED_BY_INTERPRETER
                units.append(_Unit(method, [] if by_name else [method.name], [method], unit, strings))
        elif isinstance(node, FUNCTIONS):
            decorated = bool(node.decorator_list) and not is_viper(node)
            units.append(_Unit(node, [] if decorated else [node.name], [node], None, strings))
        elif isinstance(node, ast.Assign) and _is_plain(node.value):
            names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            whole = all(isinstance(part, (ast.Name, ast.Tuple, ast.expr_context)) for target in node.targets for part in ast.walk(target))
            units.append(_Unit(node, names if whole else [], [node.value, *node.targets] if not whole else [node.value], None, strings))
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            units.append(_Unit(node, [], [node], None, strings))
    return units


def _prune(program: dict[str, Module], roots: list[ast.Module]) -> None:
    """Leave out what nothing mentions that stays, then imports of which the same is true."""
    read: dict[str, set[str]] = {name: set() for name in program}
    asked: set[str] = set()
    for root in roots:
        mine, others = _mentioned([root], _strings(root))
        asked |= mine | others | {alias.name for node in ast.walk(root) if isinstance(node, ast.ImportFrom) for alias in node.names}
    units = {name: _units(module.tree) for name, module in program.items()}
    lent = {name: list(_lent(program, name)) for name in program}
    grown = True
    while grown:
        grown = False
        for name, found in units.items():
            for known, base, origin in lent[name]:
                passed = read[name] if known == "*" else {origin} if known in read[name] | asked else set()
                grown = grown or not passed <= read[base]
                read[base] |= passed
            for unit in found:
                wanted = not unit.names or not (read[name] | asked).isdisjoint(unit.names)
                if not unit.live and wanted and (unit.owner is None or unit.owner.live):
                    unit.live = grown = True
                    read[name] |= unit.read
                    asked |= unit.asked
    for name, module in program.items():
        dead = {id(unit.node) for unit in units[name] if not unit.live}
        module.tree.body = [node for node in module.tree.body if id(node) not in dead]
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                node.body = [part for part in node.body if id(part) not in dead] or [ast.Pass()]
    borrowed: dict[str, set[str]] = {name: set() for name in program}
    for importer in program:
        for _, base, origin in _lent(program, importer):
            borrowed[base].add(origin)
    asked = {node.attr for module in program.values() for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    for name, module in program.items():
        used = asked | _mentioned([module.tree], set())[0]
        _Imports(program, name, used | borrowed[name]).visit(module.tree)


def _lent(program: dict[str, Module], importer: str) -> Iterator[tuple[str, str, str]]:
    """(name in the importer, module, name there) of all that it imports from other modules by name."""
    for node in ast.walk(program[importer].tree):
        if isinstance(node, ast.ImportFrom) and (base := imported(program, importer, node)) in program:
            yield from ((alias.asname or alias.name, base, alias.name) for alias in node.names)


class _Imports(ast.NodeTransformer):
    """Leaves out imports of names that are not used."""

    def __init__(self, program: dict[str, Module], importer: str, used: set[str]) -> None:
        self._program = program
        self._importer = importer
        self._used = used

    def _names(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        acting = [name for name in modules_of(self._program, self._importer, node) if acts(self._program, name)]
        node.names = [alias for alias in node.names if alias.name == "*" or bound(ast.Import([alias]))[0] in self._used]
        if not node.names and acting:
            return ast.Import([ast.alias(name, "_") for name in acting])
        return node if node.names else None

    visit_Import = visit_ImportFrom = _names

    def visit_Try(self, node: ast.Try) -> ast.AST | list[ast.stmt]:
        self.visit_block(node)
        nothing = all(isinstance(part, ast.Pass) for part in node.body)
        return [*node.orelse, *node.finalbody] if nothing else node

    def visit_block(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]  # type: ignore[attr-defined]
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_If = visit_With = visit_For = visit_While = visit_block
    visit_ExceptHandler = visit_block
