"""Every error that Retrostep raises on purpose, as one small hierarchy.

A message states what happened and what to do, in one or two sentences, and names no command. Where a command helps, the error carries
the facts for it, and `retrostep.cli` adds the command by the error's type. A warning is such an error that is returned, not raised.
"""


class RetrostepError(Exception):
    """Base class. `exit_status` is the command's; `facts` are values that a command needs, such as `port`, `board`, `session`."""

    exit_status = 1

    def __init__(self, message: str, **facts: str) -> None:
        """`message` is the sentence for people."""
        super().__init__(message)
        self.facts = facts


class DamagedData(RetrostepError):
    """Damaged or foreign data was found. It was kept, and the message says where."""

    exit_status = 4


class UnsafeName(DamagedData):
    """A device or session name from outside that must not become part of a path."""


class DamagedFile(DamagedData):
    """An activity file, or a line of one, is cut or damaged. Nothing of that was imported, and the file stays where it is."""


class UnusableActivity(RetrostepError):
    """An activity, or a file, cannot be imported. The message says why, without a capital letter and a full stop."""


class DiskFull(RetrostepError):
    """The disk of the archive is full. Everything written before is safe."""


class NoAccess(RetrostepError):
    """A file or folder of the archive cannot be read or written with this user's permissions."""


class StoreBusy(RetrostepError):
    """Another program has locked the store for too long."""


class StoreFailed(RetrostepError):
    """The database reported an error that has no type of its own here."""


class StoreLost(StoreFailed):
    """The server of the store cannot be reached, or the connection to it was lost."""


class SavedBefore(RetrostepError):
    """A command has saved something, and then its store failed. To run it again would enter the same twice."""


class StoreMoved(RetrostepError):
    """The store was moved to another place, which the message names. Nothing is entered here any more."""


class StoreNotEmpty(RetrostepError):
    """A store has contents already, which must not be overwritten."""


class BadBackup(DamagedData):
    """A file is not a complete backup of a store."""


class DamagedStore(DamagedData):
    """The store's file is not a database. It can be rebuilt from the raw logs and the journal of entries."""


class NoStore(RetrostepError):
    """There is no store at the path that was named."""


class DamagedJournal(DamagedData):
    """The event journal lacks entries, or some of its lines cannot be read."""


class LogsMissing(DamagedData):
    """Raw logs are missing, shortened or unreadable on this computer."""


class StoreLayout(RetrostepError):
    """The store was written by a newer program, with a different layout of its tables."""


class ForeignStore(StoreLayout):
    """The file of the store is another program's database."""


class UnsupportedStore(RetrostepError):
    """This version cannot open a store with that URL."""


class NotFound(RetrostepError):
    """No athlete, device or session has that name, or several have."""


class AthleteNotFound(NotFound):
    """No athlete has that name."""


class AthleteRemoved(NotFound):
    """An athlete was removed. Fact: `athlete`."""


class AssignmentContradiction(RetrostepError):
    """An assignment of a device contradicts one that was entered. Fact: `device`."""


class AssignmentExists(AssignmentContradiction):
    """An assignment changes nothing, because it was entered before. Fact: `device`."""


class Unchanged(RetrostepError):
    """A correction changes nothing: what it enters is so already. Nothing was recorded."""


class SessionNotFound(NotFound):
    """No session has that name, or the text is not a session's name."""


class NoSessionYet(SessionNotFound):
    """There is no session at all, or none of the athlete."""


class Contradiction(RetrostepError):
    """A manual date contradicts what is known about another session. Fact: `session`, the other one."""


class ImpossibleDate(RetrostepError):
    """A manual date is outside the times at which the session can have started."""


class AfterReceipt(ImpossibleDate):
    """A manual date is later than the moment when the log was received, by the computer's clock. Fact: `session`."""


class BoardNotFound(RetrostepError):
    """No board is plugged in, or there is none at the port."""


class NoBoardFound(BoardNotFound):
    """No plugged-in port has the USB ids of a board."""


class PortBusy(RetrostepError):
    """Another program has opened the board's port."""


class NoPermission(RetrostepError):
    """This user has no permission to open the board's port."""


class NoApp(RetrostepError):
    """Something answers at the port, but not Retrostep. Fact: `port`. `found` says what is there instead."""

    def __init__(self, message: str, found: str = "", **facts: str) -> None:
        """`message` is the sentence for people; `found` is the part that says what is there."""
        super().__init__(message, **facts)
        self.found = found or message


class NotStarting(NoApp):
    """The chip at the port runs no program, so that only flashing helps. Fact: `port`."""


class BlankChip(NotStarting):
    """The chip's flash is erased: a new board. Fact: `port`."""


class InRomLoader(NotStarting):
    """The chip waits in its ROM loader for a program. Fact: `port`."""


class BootLoop(NotStarting):
    """The chip restarts again and again: its program is damaged, or its supply is weak. Fact: `port`."""


class OtherProtocol(NoApp):
    """The board uses another version of the link protocol. Fact: `port`."""


class LinkLost(RetrostepError):
    """The board stopped answering, or its cable was pulled."""


class BadAnswer(LinkLost):
    """A complete frame of the board has contents that this program cannot read. Fact: `port`."""


class Stopped(RetrostepError):
    """The caller stopped the work with a board."""


class Refused(RetrostepError):
    """The board answered a request with an error. `code` is one of retrostep_core.link.messages."""

    def __init__(self, message: str, code: int, **facts: str) -> None:
        """`message` is the sentence for people."""
        super().__init__(message, **facts)
        self.code = code


class UnknownBoard(RetrostepError):
    """boards/ describes no board with that name."""

    exit_status = 2


class NoCapture(RetrostepError):
    """A session's log has no raw samples. Fact: `session`."""


class FileExists(RetrostepError):
    """A file that would be written exists, and has other content."""


class BoardFolderError(RetrostepError):
    """A board's folder exists already, or cannot be written."""


class WrongBoard(RetrostepError):
    """The board at the port has another chip than the board that was named."""


class DeployFailed(RetrostepError):
    """Files could not be copied to a board, or the copy could not be verified."""


class OldMicroPython(DeployFailed):
    """The MicroPython of a board cannot run this firmware. Fact: `board`."""


class FlashFull(DeployFailed):
    """The flash of a board has no space for the program. Fact: `port`."""


class WrongImage(RetrostepError):
    """A file is not an image of MicroPython for the board. Nothing was erased."""


class NoMicroPython(RetrostepError):
    """No image of MicroPython was named, and there is none in the downloads folder. Fact: `board`."""


class FlashFailed(RetrostepError):
    """esptool could not write MicroPython to the chip, or the chip does not start it. Fact: `port`."""


class UnsyncedSessions(RetrostepError):
    """A board has sessions that flashing would erase. Fact: `port`."""


class Unhealthy(RetrostepError):
    """The doctor found a fault of the hardware. The message says what to do."""


class OtherDescription(Unhealthy):
    """The board.json of a device describes another sensor than it has. Facts: `port`, `board`."""


class ClockNotSet(RetrostepError):
    """A board does not know the time. Fact: `port`."""


class OldFirmware(RetrostepError):
    """The firmware of a board has no such function yet. Facts: `board`, `port`."""


class WrongSetting(RetrostepError):
    """The board does not accept a setting, or did not keep it."""


class SessionRunning(RetrostepError):
    """The board is in a session, which the work would end. Fact: `port`."""


class SeveralBoards(RetrostepError):
    """Several boards are plugged in, and none was named."""


class NoRepl(RetrostepError):
    """MicroPython's prompt did not answer, or a script failed there. Fact: `port`."""


class AppNotStarted(RetrostepError):
    """The board's app did not start after a rescue. Facts: `port`, and `board` where it is known."""


class NoImage(RetrostepError):
    """A file is not a dump of a board's flash."""


class SyncRunning(RetrostepError):
    """Another sync of the same device is running on this computer."""


class CalibrationFailed(RetrostepError):
    """The board could not find out how its sensor is mounted. The message says what to do differently. Fact: `port`."""


class CalibrationNotSaved(CalibrationFailed):
    """The mount was found but not saved, because the flash is full. Fact: `port`."""


class CalibrationUnsupported(CalibrationFailed):
    """The board's version has no calibration. Fact: `port`."""


class CalibrationRunning(CalibrationFailed):
    """A calibration is in progress, so there is no result yet. Fact: `port`."""


class NotCalibrated(CalibrationFailed):
    """The board has not been calibrated since it started. Fact: `port`."""


class CalibrationUnwatched(LinkLost):
    """The board was unplugged while it calibrates; on a battery it continues. Fact: `port`."""


class OtherCore(RetrostepError):
    """The board runs another core than this computer carries. Facts: `board` and `port`, where a board is plugged in."""


class ClockBehind(RetrostepError):
    """This computer's clock is earlier than at the last sync, so that sessions may stay undated."""


class Undated(RetrostepError):
    """It is not known when a session was. Fact: `session`."""


class Unassigned(RetrostepError):
    """Sessions of a device belong to no athlete. Fact: `device`."""


class NotSynced(RetrostepError):
    """No device of an athlete was synced in the judged days."""


class DoubtfulRecording(RetrostepError):
    """A recording is incomplete or damaged. Fact: `session`."""


class ReportContradiction(RetrostepError):
    """The sums of a report's sessions are not those of its weeks: a fault of this program. The report was not written."""


class NoBrowser(RetrostepError):
    """There is no Chromium that could print a page, or it failed."""
