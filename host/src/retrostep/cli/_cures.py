"""The command that helps after an error, by the error's type. Libraries name no command: this table does."""

import shlex

from retrostep import errors
from retrostep.errors import RetrostepError
from retrostep.plain_text import clean

_FLASH = "`retrostep flash --board {board} --port {port}`"
_DEPLOY = "`retrostep deploy --board {board} --port {port}`"

CURES: dict[type[RetrostepError], str] = {
    errors.AppNotStarted: f"Copy the firmware: {_DEPLOY}.",
    errors.AfterReceipt: "If that clock was wrong then: `retrostep session {session} --date 'DATE TIME' --clock-was-wrong`.",
    errors.AssignmentContradiction: "`retrostep athletes assignments {device}` lists its assignments and shows how to correct one.",
    errors.AthleteNotFound: "To add an athlete: `retrostep athletes add NAME`.",
    errors.AthleteRemoved: "To bring the athlete back: `retrostep athletes restore {athlete}`.",
    errors.BadAnswer: f"Copy this version to the board: {_DEPLOY}.",
    errors.BlankChip: f"Write MicroPython and the firmware: {_FLASH}.",
    errors.BoardNotFound: "`retrostep devices` shows the plugged-in boards and their ports.",
    errors.BootLoop: (
        f"If it may hold sessions, read its flash first: `esptool --port {{port}} read-flash 0 ALL flash.bin`. Then: {_FLASH}."
    ),
    errors.CalibrationNotSaved: "Run `retrostep sync`, then `retrostep calibrate --port {port}` again.",
    errors.CalibrationRunning: "Then run `retrostep calibrate --port {port} --last`.",
    errors.CalibrationUnsupported: f"Copy this version to the board: {_DEPLOY}.",
    errors.CalibrationUnwatched: "Plug it in afterwards and run `retrostep calibrate --port {port} --last`.",
    errors.CalibrationFailed: "Then run `retrostep calibrate --port {port}` again.",
    errors.ClockNotSet: "A sync sets it: `retrostep sync --port {port}`.",
    errors.ClockBehind: "To date a session that stays undated: `retrostep session {session} --date 'DATE TIME'`.",
    errors.Contradiction: "If the other session's date is wrong, correct it first: `retrostep session {session} --date 'DATE TIME'`.",
    errors.DamagedStore: "To rebuild it from the raw logs: `retrostep store rebuild`.",
    errors.DoubtfulRecording: "To see the session: `retrostep session {session}`.",
    errors.InRomLoader: f"If it comes back to its loader, flash it: {_FLASH}.",
    errors.LogsMissing: "To see which: `retrostep store verify`. A sync brings back what a board still has.",
    errors.ForeignStore: "In a data folder, `retrostep store rebuild` moves it aside and makes a store in its place.",
    errors.FlashFull: "Run `retrostep sync --port {port}` first: the board can then erase sessions that are on this computer.",
    errors.NoApp: f"If it stays silent, save its sessions: `retrostep rescue --port {{port}}`. Then copy the firmware: {_DEPLOY}.",
    errors.NoBoardFound: "If one is plugged in, its USB ids are not known. Name its port: `retrostep devices --port {port}`.",
    errors.NoImage: "Read the flash with `esptool read_flash 0 ALL flash.bin`, then run this again.",
    errors.NoMicroPython: "To use another file: `retrostep flash --board {board} --image FILE`.",
    errors.NoSessionYet: "Plug the device in and run `retrostep sync`.",
    errors.NotCalibrated: "To calibrate it: `retrostep calibrate --port {port}`.",
    errors.NotSynced: "Plug the device in and run `retrostep sync`.",
    errors.OldFirmware: f"Copy this version to the board: {_DEPLOY}.",
    errors.OldMicroPython: f"Sync it, then write a newer MicroPython: {_FLASH}.",
    errors.OtherCore: f"Copy this version to the board: {_DEPLOY}.",
    errors.OtherDescription: f"Copy a changed file to the board: {_DEPLOY}.",
    errors.OtherProtocol: f"Update Retrostep on this computer, or copy this version to the board: {_DEPLOY}.",
    errors.SessionNotFound: "`retrostep sessions` lists them.",
    errors.StoreFailed: "If it happens again: `retrostep store rebuild`.",
    errors.StoreMoved: "If that one is lost for good: `retrostep store reopen --store {store}`.",
    errors.StoreLost: "To be sure what was saved: `retrostep store status`.",
    errors.UnsyncedSessions: "To keep them: `retrostep sync --port {port}`.",
    errors.Unassigned: "To assign the device: `retrostep athletes assign {device} NAME`.",
    errors.Undated: "To set its date: `retrostep session {session} --date 'DATE TIME'`.",
    errors.UnknownBoard: "`retrostep boards` lists the boards.",
    errors.WrongBoard: "`retrostep boards` lists the boards and their chips.",
}

_PLACEHOLDERS = {"athlete": "NAME", "board": "NAME", "port": "PORT", "device": "DEVICE", "session": "DEVICE/NUMBER", "store": "URL"}


def cure(error: RetrostepError) -> str:
    """The sentence with the command that helps after `error`, filled in from its facts; empty where no command helps."""
    template = next((CURES[kind] for kind in type(error).__mro__ if kind in CURES), "")
    facts = {name: shlex.quote(clean(value)) for name, value in error.facts.items()}
    return template.format(**{**_PLACEHOLDERS, **facts})


def when_settled(athlete: str) -> str:
    """How to enter that what was noted about pain has settled."""
    return f"Once it has settled: `retrostep accept {shlex.quote(clean(athlete))} pain --because \"it has settled\"`."


def sentence(error: Exception) -> str:
    """The message of `error`, then the command that helps. It is not cleaned for a terminal."""
    return f"{error} {cure(error)}".rstrip() if isinstance(error, RetrostepError) else str(error)
