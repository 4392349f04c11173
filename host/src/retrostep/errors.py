"""What can go wrong, as one small hierarchy: the message says what happened and what to do; `exit_status` is the CLI's."""


class RetrostepError(Exception):
    """Base of every error that Retrostep raises on purpose."""

    exit_status = 1


class DamagedData(RetrostepError):
    """Data was met that is damaged or foreign; it was kept, and the message says where."""

    exit_status = 4


class UnsafeName(DamagedData):
    """A device or session name from outside that must not become part of a path."""


class DiskFull(RetrostepError):
    """There is no room left where the archive lives; whatever was safe before still is."""


class NoAccess(RetrostepError):
    """A file or folder of the archive may not be read or written."""


class StoreBusy(RetrostepError):
    """Another program holds the store for longer than is sensible to wait."""


class DamagedStore(DamagedData):
    """The store's file is no database any more; the raw logs and entries beside it are what counts."""


class StoreLayout(RetrostepError):
    """The store was written by a program with another layout of its tables."""


class UnsupportedStore(RetrostepError):
    """A `--store` URL that this version cannot open."""


class NotFound(RetrostepError):
    """No athlete, device or session answers to what was given, or several do."""


class Contradiction(RetrostepError):
    """What somebody says about a session cannot be, by what else is known of its device."""


class BoardNotFound(RetrostepError):
    """No board is plugged in, or nothing is at the port that was named."""


class PortBusy(RetrostepError):
    """Another program holds the board's port."""


class NoPermission(RetrostepError):
    """This user may not open the board's port."""


class NoApp(RetrostepError):
    """A board is there, but Retrostep isn't running on it; `found` is the part of the message that says what is there instead."""

    def __init__(self, message: str, found: str = "") -> None:
        """`message` is the sentence for people."""
        super().__init__(message)
        self.found = found or message


class LinkLost(RetrostepError):
    """The board stopped answering, or its cable was pulled."""


class Stopped(RetrostepError):
    """Work with a board was broken off by whoever had asked for it."""


class Refused(RetrostepError):
    """The board answered a request with an error; `code` is one of retrostep_core.link.messages."""

    def __init__(self, message: str, code: int) -> None:
        """`message` is the sentence for people."""
        super().__init__(message)
        self.code = code


class UnknownBoard(RetrostepError):
    """No board of that name is described under boards/."""

    exit_status = 2


class WrongBoard(RetrostepError):
    """The board at a port isn't the kind of board that was named."""


class DeployFailed(RetrostepError):
    """Files could not be copied to a board, or the copy could not be proved."""


class NoRepl(RetrostepError):
    """MicroPython's prompt on a board could not be reached, or a script failed there."""


class NoImage(RetrostepError):
    """A file that was given as a dump of a board's flash isn't one."""


class SyncRunning(RetrostepError):
    """Another sync of the same device is under way on this computer."""


class CalibrationFailed(RetrostepError):
    """A board could not find out how its sensor is mounted, or could not keep it; the message says what to do."""
