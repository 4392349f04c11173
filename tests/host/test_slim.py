"""A program that is slimmed runs as before, on the board's interpreter, whatever is done with a name."""

import subprocess
import sys
from pathlib import Path

import pytest
from retrostep.device.bundle import slimmed

MICROPYTHON = Path(sys.executable).parent / "micropython"

PROGRAMS = {
    "what nobody asks for": """
--- main.py
import a
--- a.py
from b import N, unused, Kept
import struct
def f(long_name):
    'Doc.'
    return long_name + N
def _never():
    return unused
print(f(1), Kept()._private_thing)
--- b.py
N = 5
HOST = (1, 2)
def unused():
    return HOST
class Kept:
    _private_thing = 3
    def host_only(self):
        return N
--- c.py
from a import f
""",
    "numbers that something else has the name of": """
--- main.py
import a
--- a.py
import b
from b import N, M as K, TAKEN
N2 = N * 2 - -3
def f(N):
    return N + K
def g():
    return [N for N in (7, 8)], N2
class C:
    M = 5
    K = M + K
    def get(self):
        return K, self.K, self.M
b.TAKEN = 9
print(N, f(1), g(), C().get(), b.M, b.TAKEN, TAKEN, (lambda K=K: K)(), -b.LOW ** 2)
--- b.py
N = 1
M = 2 << 3
TAKEN = 4
LOW = -3
""",
    "a number that is bound twice, declared global, or true": """
--- main.py
import a
--- a.py
A = 1
A = 2
B = 3
C = True
D = 4
for D in (5,):
    E = 6
def f():
    global B
    B += 1
f()
print(A, B, C, D, E)
""",
    "a private name of another file's object, of a string, of a class and of its child": """
--- main.py
import a
--- a.py
from b import _Base, _make
class Child(_Base):
    _step = 10
    def __init__(self):
        super().__init__()
        self._mine = 1
    def _double(self):
        return self._step * 2
    def tell(self):
        return self._mine, self._base, self._double(), self._half()
c = Child()
o = _make()
o._far = 3
print(c.tell(), o._deep, o._far, getattr(o, '_spelled'), hasattr(o, '_absent'), o.sum())
--- b.py
class _Base:
    _step = 4
    def __init__(self):
        self._base = 2
    def _half(self):
        return self._step // 2
class _Deep:
    def __init__(self):
        self._deep, self._far, self._spelled, self._own = 5, 0, 6, 7
    def sum(self):
        return self._far + self._own
def _make():
    return _Deep()
""",
    "private names of one object that stand in different files": """
--- main.py
import a
--- a.py
from b import Base, make
class Child(Base):
    def __init__(self):
        super().__init__()
        self._mine = 1
        self.only = 5
    def tell(self):
        total = 7
        return self._mine, self.hidden(), self.only, self.sum(), total
print(Child().tell())
import c
--- b.py
class Base:
    def __init__(self):
        self._hidden = 2
        self.total = 4
        self.shown = 6
        self.level = self.level + 1
    level = 3
    def sum(self):
        return self.total, self.level
    def hidden(self):
        return self._hidden
def make():
    return Base()
--- c.py
from b import make
o = make()
o._extra = 3
print(o._extra, o.hidden(), o.shown, o.sum())
""",
    "arguments passed by name, rebound inside, closed over and left to their defaults": """
--- main.py
from a import f
print(f(1, by_name=2))
--- a.py
def f(first, by_name=0, third=3):
    def inner(first, other=third):
        return first + other + by_name
    def count():
        nonlocal third
        third += 1
        return third
    return inner(10), count(), [first for first in (8, 9)], first, (lambda first: first)(6), g(1, *(2, 3)), (lambda: by_name)()
def g(one, *rest):
    try:
        raise ValueError(one)
    except ValueError as one:
        return rest, one.args
""",
    "decorators, properties, class methods, aliases and a method that only a string names": """
--- main.py
import a
--- a.py
def twice(function):
    return lambda *how: function(*how) * 2
class P:
    def __init__(self):
        self._x = 1
    @property
    def value(self):
        return self._x
    @value.setter
    def value(self, new):
        self._x = new
    @classmethod
    def make(cls):
        return cls()
    @staticmethod
    @twice
    def _two(n):
        return n
    def other(self):
        return 'other'
    again = other
    def by_string(self):
        return 'found'
    def unused_by_all(self):
        return 1
    def __len__(self):
        return 4
p = P.make()
p.value = 7
print(p.value, p._two(4), p.again(), getattr(p, 'by_string')(), len(p))
""",
    "machine code": """
--- main.py
import a
--- a.py
from b import PLACE
WIDE = 3
LONG = 5
@micropython.viper
def add(left: int, right: int) -> int:
    return left + right
@micropython.native
def far(_own, to):
    return _own + to + WIDE
print(add(PLACE, LONG), far(1, 2))
--- b.py
PLACE = 2
""",
    "rooms: one name for two things, a name that a local has, what is imported late, and what is let go": """
--- main.py
import sys
from app import start
start()
del sys.modules['room.shut']
import room.shut
print(sys.modules['room.quiet'].word())
--- app.py
from room import first as one, second
from room.second import same as same_two
from room.quiet import word
import room.shut
def start():
    from room import late
    first = 'mine'
    print(word(), one.Holder().ask(), one.same(), same_two(), second.call(), late.asks(), first, one.stop, second.TABLE[0]())
--- room/__init__.py
--- room/quiet.py
def word():
    return 'quiet'
--- room/first.py
import struct
stop = (1,)
def same():
    return 'first', struct.calcsize('<I')
class Holder:
    same = 9
    def ask(self):
        return same()
--- room/second.py
from room.first import same as theirs, stop
import room.third as first
stop_here = (stop, 2)
def same():
    return 'second'
def call(stop=5):
    same_ = theirs
    return same_(), stop, stop_here, first.same
TABLE = (same,)
--- room/third.py
same = 'third', __name__ != ''
--- room/late.py
from . import second
from .first import stop as end
def asks():
    return second.same(), end
--- room/shut.py
print('loaded')
""",
    "rooms that would come back to themselves": """
--- main.py
import app
--- app.py
from one.x import f
print(f())
--- one/__init__.py
--- one/x.py
from two.y import g
def f():
    return g()
--- one/z.py
def h():
    return 'h'
--- two/__init__.py
--- two/y.py
from one.z import h
def g():
    return h()
""",
    "rooms with modules that act, or are handed on": """
--- main.py
import one.a
--- one/__init__.py
--- one/a.py
from one import told
import two.b
import one.c as c
def name(m):
    return m.VALUE
print(two.b.get(), name(c), c.VALUE)
--- one/c.py
VALUE = (1, 2)
--- one/told.py
print('told')
--- two/__init__.py
--- two/b.py
from one.c import VALUE
from one import c
def get():
    return VALUE, c.VALUE
""",
}


def parts(what: str) -> tuple[dict[str, bytes], bytes]:
    """({path: source}, main.py) of a program."""
    files = {}
    for part in PROGRAMS[what].split("--- ")[1:]:
        path, _, text = part.partition("\n")
        files[path] = text.encode()
    return files, files.pop("main.py")


def run(folder: Path, files: dict[str, bytes]) -> str:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    done = subprocess.run([MICROPYTHON, "main.py"], cwd=folder, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, (done.stdout, done.stderr, {path: data.decode() for path, data in files.items()})
    return done.stdout


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_slim_program_prints_the_same(what: str, tmp_path: Path) -> None:
    files, main = parts(what)
    (tmp_path / "slim").mkdir()
    slim = slimmed(tuple(files.items()), (main,))
    assert run(tmp_path / "slim", slim | {"main.py": main}) == run(tmp_path, files | {"main.py": main}) != ""


def test_what_goes_and_what_stays() -> None:
    files, main = parts("what nobody asks for")
    slim = b"\n".join(slimmed(tuple(files.items()), (main,)).values()).decode()
    for gone in ("N", "HOST", "unused", "host_only", "_private_thing", "long_name", "_never", "struct", "Doc", "from b"):
        assert gone not in slim, (gone, slim)
    assert "a + 5" in slim and "class Kept" in slim


def test_a_room_holds_what_stays_loaded() -> None:
    rooms = [name for name in PROGRAMS if name.startswith("rooms")]
    left = [set(slimmed(tuple(files.items()), (main,))) for files, main in map(parts, rooms)]
    assert left == [
        {"app.py", "room/__init__.py", "room/late.py", "room/shut.py", "room/quiet.py"},
        {"app.py", "one/__init__.py", "one/x.py", "one/z.py", "two/__init__.py", "two/y.py"},
        {"one/__init__.py", "one/a.py", "one/c.py", "one/told.py", "two/__init__.py", "two/b.py"},
    ]
