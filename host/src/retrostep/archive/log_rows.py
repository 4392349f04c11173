"""One log as rows of the store's tables. Plain values only, so that another process can read logs and send their rows."""

import os
import stat
from dataclasses import dataclass
from typing import Any

from retrostep.archive.dating import ClockFact
from retrostep.archive.log_summary import Details, LogSummary, summarize_log
from retrostep.archive.raw_logs import RawLog
from retrostep.errors import DamagedData


@dataclass(frozen=True, slots=True)
class LogRows:
    """One log as rows: its columns of the table `sessions`, its details by the name of their table, and its clock facts."""

    session: dict[str, Any]
    details: Details
    clock_facts: list[ClockFact]

    @property
    def key(self) -> tuple[str, int, int]:
        """Which log it is: device, generation, session number."""
        return self.session["device"], self.session["generation"], self.session["number"]

    @property
    def identity(self) -> tuple[int, int]:
        """(length, CRC-32) of the log's bytes."""
        return self.session["log_length"], self.session["log_crc"]


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The result of reading one log: its rows and when its file was written, or (rows None) why it cannot be used.

    `is_damaged`: the file could be read, and its bytes are not the log that they should be.
    """

    rows: LogRows | None
    written_ms: int
    why: str = ""
    is_damaged: bool = False


def rows_of(summary: LogSummary) -> LogRows:
    """The rows of a log that was summarized."""
    return LogRows(summary.session, summary.details, summary.clock_facts)


def read_rows(log: RawLog) -> ReadLog:
    """Read and summarize one archived log."""
    if log.data is not None:
        return _rows_from(log, log.data, log.written_ms)
    path = log.path
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):  # reading a pipe would wait forever
            return ReadLog(None, 0, "It cannot be read: it is not a regular file.")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        return ReadLog(None, 0, f"It cannot be read: {error.strerror or error}.")
    return _rows_from(log, data, facts.st_mtime_ns // 1_000_000)


def _rows_from(log: RawLog, data: bytes, written_ms: int) -> ReadLog:
    try:
        summary = summarize_log(data, log.device, log.session, log.generation)
    except DamagedData as error:
        return ReadLog(None, written_ms, str(error), is_damaged=True)
    return ReadLog(rows_of(summary), written_ms)
