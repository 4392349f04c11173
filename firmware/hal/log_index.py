"""Which sessions have a log: three bits each, so that hundreds of logs take a few hundred bytes of RAM."""

from retrostep_core.constants import const

# Marks of a log. It is in the old folder /sessions, and not in /logs yet.
_PRESENT = const(1)
_CONFIRMED = const(2)
_OLD_PLACE = const(4)
# Sessions of one folder. Folder 12 holds the sessions 96 to 103.
_FOLDER_SESSIONS = const(8)

_FOLDER_BITS = const(3)
_MARK_BITS = const(3)
_MARKS = const(7)


class LogIndex:
    """The marks of each log, by session number. `count` and `confirmed` are the numbers of logs and of confirmed ones."""

    def __init__(self) -> None:
        self.count = self.confirmed = 0
        # Numbers of the folders, ascending, and the marks of their eight sessions.
        self._folders: list[int] = []
        self._marks: list[int] = []

    def get(self, session: int) -> int:
        """The marks of the log of `session`; 0 if there is none."""
        folder = session >> _FOLDER_BITS
        k = self._behind(folder)
        if k and self._folders[k - 1] == folder:
            return self._marks[k - 1] >> self._shift(session) & _MARKS
        return 0

    def put(self, session: int, marks: int) -> None:
        """Set the marks of the log of `session`; 0 removes it."""
        before = self.get(session)
        self.count += (marks & _PRESENT) - (before & _PRESENT)
        self.confirmed += (marks & _CONFIRMED) // _CONFIRMED - (before & _CONFIRMED) // _CONFIRMED
        folder = session >> _FOLDER_BITS
        k = self._behind(folder)
        if not k or self._folders[k - 1] != folder:
            self._folders.insert(k, folder)
            self._marks.insert(k, 0)
            k += 1
        self._marks[k - 1] ^= (before ^ marks) << self._shift(session)
        if not self._marks[k - 1]:
            self._folders.pop(k - 1)
            self._marks.pop(k - 1)

    def following(self, session: int, marks: int = _PRESENT) -> int:
        """The next session above `session` whose log has all of `marks`; 0 for none."""
        session += 1
        folder = session >> _FOLDER_BITS
        k = self._behind(folder - 1)
        while k < len(self._folders):
            n = session & _FOLDER_SESSIONS - 1 if self._folders[k] == folder else 0
            bits = self._marks[k] >> n * _MARK_BITS
            while bits:
                if bits & marks == marks:
                    return self._folders[k] * _FOLDER_SESSIONS + n
                bits >>= _MARK_BITS
                n += 1
            k += 1
        return 0

    def preceding(self, session: int) -> int:
        """The next session below `session` that has a log; 0 for none."""
        k = self._behind((session - 1) >> _FOLDER_BITS)
        while k:
            k -= 1
            for n in range(_FOLDER_SESSIONS - 1, -1, -1):
                found = self._folders[k] * _FOLDER_SESSIONS + n
                if found < session and self._marks[k] >> n * _MARK_BITS & _PRESENT:
                    return found
        return 0

    def has_folder(self, session: int) -> bool:
        """Whether there is a log in the folder of `session`."""
        folder = session >> _FOLDER_BITS
        k = self._behind(folder)
        return k > 0 and self._folders[k - 1] == folder

    def _behind(self, folder: int) -> int:
        """How many folders have a number up to `folder`."""
        k = len(self._folders)
        while k and self._folders[k - 1] > folder:
            k -= 1
        return k

    def _shift(self, session: int) -> int:
        return _MARK_BITS * (session & _FOLDER_SESSIONS - 1)
