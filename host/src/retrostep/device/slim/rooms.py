"""One file for each room of a compiled board: every module has three names, a table of its own and what it imports, all in memory for ever.

`gathered` puts the modules of a folder that stay loaded for good into the folder's own `__init__`: `retrostep_core.log` then holds what
`retrostep_core.log.session`, `.journal` and the others did. What is loaded only for a while stays a module of its own.

It must never change what the program does. So a module stays where it is if its name is spelled anywhere (main.py and what it lets go
again), if it acts when imported, declares a global, or is handed on as an object; and so does a whole room through which an import would
come back to itself. A name that two modules of a room use for different things, or that something local has as well, gets the module's
name before its own.
"""

import ast
import builtins
from collections.abc import Iterable

from retrostep.device.slim.scopes import (
    FUNCTIONS,
    Function,
    Meaning,
    Module,
    Resolver,
    Scope,
    Symbol,
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


def gathered(files: dict[str, bytes], fixed: Iterable[bytes]) -> dict[str, bytes]:
    """`files` ({path on the device: source}) with the modules of each room in one file."""
    roots = [ast.parse(source) for source in fixed]
    program = {name_of(path): Module(path, source) for path, source in files.items()}
    symbols = _Symbols(program)
    room_of = _rooms(program, roots, symbols)
    order = _ordered(program)
    rooms = {room: _Room(room, [name for name in order if room_of.get(name) == room], symbols, room_of) for room in set(room_of.values())}
    bodies: dict[str, list[ast.stmt]] = {room: [] for room in rooms}
    for name in order:
        _Rewriter(symbols, name, room_of, rooms).visit(program[name].tree)
        bodies.setdefault(room_of.get(name, name), []).extend(program[name].tree.body)
    for name, body in bodies.items():
        imports = {ast.unparse(node): node for node in reversed(body) if isinstance(node, (ast.Import, ast.ImportFrom))}
        again = {id(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))} - {id(node) for node in imports.values()}
        program[name].tree.body = [node for node in body if id(node) not in again]
    program = reached({name: program[name] for name in bodies}, roots)
    return {module.path: source_of(module.tree) for module in program.values()}


class _Symbols:
    """Which module's name it is that a scope knows by some name."""

    def __init__(self, program: dict[str, Module]) -> None:
        self.program = program
        self._scopes: dict[str, Scope] = {}
        self._binds = {name: {bind for node in inner(module.tree) for bind in bound(node)} for name, module in program.items()}

    def value(self, module: str, name: str) -> Symbol | None:
        """Where the global `name` of `module` comes from; ("", import) where from outside."""
        if name not in self._binds.get(module, ()):
            return None
        for node in self.program[module].tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    if (alias.asname or alias.name.partition(".")[0]) != name:
                        continue
                    base = imported(self.program, module, node) if isinstance(node, ast.ImportFrom) else ""
                    if base in self.program:
                        return self.value(base, alias.name) or (module, name)
                    return (
                        "",
                        ast.unparse(ast.ImportFrom(base, [ast.alias(alias.name)], 0) if base else ast.Import([ast.alias(alias.name)])),
                    )
        return module, name

    def scope(self, module: str) -> Scope:
        """The module's own."""
        if module not in self._scopes:
            self._scopes[module] = Scope(self, module)
        return self._scopes[module]


def _rooms(program: dict[str, Module], roots: list[ast.Module], symbols: _Symbols) -> dict[str, str]:
    """{module: its room} of every module that is to be gathered."""
    spelled = {part for root in roots for node in ast.walk(root) for part in modules_of(program, "", node)}
    for tree in [*roots, *(module.tree for module in program.values())]:
        spelled |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    lasting: set[str] = set()
    todo = [part for root in roots for node in ast.walk(root) for part in modules_of(program, "", node)]
    while todo:
        name = todo.pop()
        if name in program and name not in lasting:
            lasting.add(name)
            todo += _needs(program, name)
    handed = {name for module in program for name in _handed_on(program, module, symbols)}
    named = {name for name in program if any(name == word or name.startswith(f"{word}.") for word in spelled)}
    movable = {name for name in program if not program[name].package and name not in handed | spelled}
    movable = {name for name in movable if not acts(program, name) and not _is_tied(program[name].tree)}
    askers: dict[str, set[str]] = {name: set() for name in program}
    for other, module in program.items():
        for asked in (part for node in ast.walk(module.tree) for part in modules_of(program, other, node)):
            askers.setdefault(asked, set()).add(other)
    room_of: dict[str, str] = {}
    for name in sorted(movable):
        package = name.rpartition(".")[0]
        only = next(iter(askers[name])) if len(askers[name]) == 1 else ""
        if package in program and name in lasting and name not in named:
            room_of[name] = package
        elif only and name in _needs(program, only) and (only in named or name not in named):
            room_of[name] = only
    for name in room_of:
        while room_of[name] in room_of and room_of[name] != name:
            room_of[name] = room_of[room_of[name]]
    closed = {room for room in set(room_of.values()) if _is_tied(program[room].tree) or _comes_back(program, room, room_of)}
    room_of = {name: room for name, room in room_of.items() if room not in closed}
    return room_of | {room: room for room in room_of.values()}


def _needs(program: dict[str, Module], name: str) -> list[str]:
    """What must be loaded before the module is."""
    return [part for node in program[name].tree.body for part in modules_of(program, name, node) if part in program and part != name]


def _ordered(program: dict[str, Module]) -> list[str]:
    """The modules, each behind those that it needs."""
    done: dict[str, None] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name not in done and name not in above:
            for need in sorted(_needs(program, name)):
                add(need, (*above, name))
            done[name] = None

    for name in sorted(program):
        add(name, ())
    return list(done)


def _comes_back(program: dict[str, Module], room: str, room_of: dict[str, str]) -> bool:
    """Whether loading the room needs something that needs the room."""

    def needed(home: str) -> set[str]:
        members = [name for name in program if home in (name, room_of.get(name))]
        needs = {need for member in members for need in _needs(program, member)}
        above = {".".join(need.split(".")[:n]) for need in needs for n in range(1, need.count(".") + 1)} & set(program)
        return {room_of.get(need, need) for need in needs} | above - {room}

    seen: set[str] = set()
    todo = list(needed(room) - {room})
    while todo:
        home = todo.pop()
        if home == room:
            return True
        if home not in seen:
            seen.add(home)
            todo += needed(home)
    return False


def _is_tied(tree: ast.Module) -> bool:
    """Whether the module's names cannot be changed: machine code uses them, it declares a global, imports by star,
    binds a name again that it has imported, or has a built-in's name."""
    binds = [bind for node in inner(tree) for bind in bound(node)]
    mine = set(binds)
    brought = {bind for node in inner(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for bind in bound(node)}
    if mine & set(dir(builtins)) or any(binds.count(name) > 1 for name in brought):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Global) or (isinstance(node, ast.alias) and node.name == "*"):
            return True
        if is_viper(node) and any(isinstance(part, ast.Name) and part.id in mine - {"micropython"} for part in ast.walk(node)):
            return True
    return False


def _handed_on(program: dict[str, Module], module: str, symbols: _Symbols) -> set[str]:
    """Modules that this one uses as objects, and not only to ask them for a name that they have; and those it imports by a dotted name."""
    found: set[str] = set()

    class Look(Resolver):
        def _number(self, node: ast.Name | ast.Attribute) -> ast.AST:
            if isinstance(node, ast.Attribute) and isinstance(self.scope.meaning(node), tuple) and isinstance(node.ctx, ast.Load):
                if isinstance(self.scope.meaning(node.value), str):
                    return node
            elif isinstance(meaning := self.scope.meaning(node), str):
                found.add(meaning)
            return self.generic_visit(node)

        visit_Name = visit_Attribute = _number

    Look(symbols, module).visit(program[module].tree)
    for node in ast.walk(program[module].tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if "." in alias.name and not alias.asname}
    return found


class _Room:
    """The names of one room: what each symbol, or another module, is called in it."""

    def __init__(self, room: str, members: list[str], symbols: _Symbols, room_of: dict[str, str]) -> None:
        self.names: dict[Meaning, str] = {}
        self._room = room
        self._taken = set(dir(builtins))
        self._taken |= {name.rpartition(".")[2] for name in symbols.program if name.rpartition(".")[0] == room and name not in room_of}
        for member in members:
            everything = [node for node in ast.walk(symbols.program[member].tree)]
            globals_ = {bind for node in inner(symbols.program[member].tree) for bind in bound(node)}
            self._taken |= {node.id for node in everything if isinstance(node, ast.Name)} - globals_
            for node in everything:
                if isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
                    self._taken |= {bind for part in inner(node) for bind in bound(part)}
        for member in sorted(members, key=lambda member: member != room):  # the room's own names first: they stay
            scope = symbols.scope(member)
            for name in sorted({bind for node in inner(symbols.program[member].tree) for bind in bound(node)}):
                meaning = scope.meaning(ast.Name(name, ast.Load()))
                if meaning is not None and room_of.get(meaning if isinstance(meaning, str) else "") != room:
                    self._call(meaning, name, member)

    def _call(self, meaning: Meaning, name: str, member: str) -> None:
        if meaning not in self.names:
            if name in self._taken and member != self._room:
                name = f"{member.rpartition('.')[2]}_{name}"
                while name in self._taken:
                    name += "_"
            self.names[meaning] = name
            self._taken.add(name)


class _Rewriter(Resolver):
    """Writes a module in the names of its room, and of the rooms that it imports from."""

    def __init__(self, symbols: _Symbols, module: str, room_of: dict[str, str], rooms: dict[str, _Room]) -> None:
        super().__init__(symbols, module)
        self._room_of = room_of
        self._rooms = rooms
        self._room = room_of.get(module)

    def _named(self, name: str) -> str:
        """What a global of this module is called now."""
        meaning = self.scope.meaning(ast.Name(name, ast.Load())) if self.scope.is_global(name) else None
        return self._rooms[self._room].names.get(meaning, name) if self._room and meaning is not None else name

    def _number(self, node: ast.Name | ast.Attribute) -> ast.AST:
        if isinstance(node, ast.Name):
            node.id = self._named(node.id)
            return node
        base, meaning = self.scope.meaning(node.value), self.scope.meaning(node)
        if isinstance(base, str) and isinstance(meaning, tuple):
            room = self._room_of.get(base)
            if room and room == self._room:
                return ast.Name(self._rooms[room].names[meaning], node.ctx)
            if room:
                node.attr = self._rooms[room].names[meaning]
        return self.generic_visit(node)

    visit_Name = visit_Attribute = _number

    def visit_FunctionDef(self, node: Function) -> ast.AST:
        node.name = self._named(node.name)
        return node if is_viper(node) else super().visit_FunctionDef(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._named(node.name)
        return super().visit_ClassDef(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._named(node.name) if node.name else None
        return self.generic_visit(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
        written: list[ast.stmt] = []
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            meaning = self.scope.meaning(ast.Name(name, ast.Load()))
            mine = self.scope.is_outermost and self._room is not None
            called = self._named(name) if mine else name
            if isinstance(node, ast.ImportFrom):
                base = imported(self.scope.program, self.module, node)
                whole = f"{base}.{alias.name}"
                if whole in self.scope.program:
                    home = self._room_of.get(whole, whole)
                    if home != self._room or not mine:
                        written.append(_import_as(home, called))
                    continue
                home = self._room_of.get(base, base)
                if home == self._room and mine:
                    continue
                origin = self._rooms[home].names[meaning] if home != base and isinstance(meaning, tuple) else alias.name
                written.append(ast.ImportFrom(home, [ast.alias(origin, called if called != origin else None)], 0))
            elif alias.name in self._room_of:
                if self._room_of[alias.name] != self._room or not mine:
                    written.append(_import_as(self._room_of[alias.name], called))
            else:
                written.append(ast.Import([ast.alias(alias.name, alias.asname if called == name else called)]))
        return written

    visit_Import = visit_ImportFrom = _import


def _import_as(module: str, name: str) -> ast.stmt:
    package, _, last = module.rpartition(".")
    if not package:
        return ast.Import([ast.alias(module, None if name == module else name)])
    return ast.ImportFrom(package, [ast.alias(last, None if name == last else name)], 0)
