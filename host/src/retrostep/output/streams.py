"""Standard output and standard error: their encoding, and what happens when they cannot be written."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CLOSED_PIPE = {errno.EPIPE, errno.ESHUTDOWN, errno.EINVAL} if os.name == "nt" else {errno.EPIPE, errno.ESHUTDOWN}
"""What a write reports whose reader has gone. Windows reports EINVAL."""


class OutputFailed(Exception):
    """Standard output cannot be written. `is_closed_pipe`: its reader has gone, for example `| head`."""

    def __init__(self, error: OSError) -> None:
        """`error` is what the write reported."""
        super().__init__(error.strerror or str(error))
        self.is_closed_pipe = error.errno in _CLOSED_PIPE


class _Output(io.BufferedWriter):
    """Standard output. A write that fails raises OutputFailed, which no part of the program takes for an error of its own files."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputFailed(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise OutputFailed(error) from error


class _Errors(io.BufferedWriter):
    """Standard error. The command continues where it cannot be written: there is no other place to report that. `has_failed` keeps it."""

    has_failed = False

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return self._failed(len(data))

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self._failed(0)

    def _failed(self, length: int) -> int:
        self.has_failed = True
        _discard(self)
        return length


class Streams:
    """The standard streams while a command runs."""

    def __init__(self, errors: _Errors | None) -> None:
        self._errors = errors

    @property
    def has_lost_errors(self) -> bool:
        """Whether text for standard error was lost."""
        return self._errors is not None and self._errors.has_failed

    def flush(self) -> None:
        """Write what is buffered. Raises OutputFailed."""
        sys.stdout.flush()
        sys.stderr.flush()


@contextmanager
def standard_streams() -> Iterator[Streams]:
    """Both streams with the terminal's own encoding; a character that it lacks is printed as its code. They are as before at the end.

    A stream that the caller has closed accepts everything and writes nothing.
    """
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        output, errors = (_wrapped(stream, kind) for stream, kind in ((sys.stdout, _Output), (sys.stderr, _Errors)))
        sys.stdout, sys.stderr = output or before[0] or nowhere, errors or before[1] or nowhere
        streams = Streams(_buffer(errors))
        try:
            yield streams
        finally:
            sys.stdout, sys.stderr = before
            for wrapped in (output, errors):
                if wrapped is not None:
                    _detach(wrapped)


def _wrapped(stream: Any, kind: type[io.BufferedWriter]) -> io.TextIOWrapper | None:
    """`stream` with the same file below it, and `kind` for its buffer; None for one that is no file, as in a test."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if not isinstance(raw, io.RawIOBase):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        return None
    stream.flush()
    line_buffering = bool(stream.line_buffering) or kind is _Errors
    return io.TextIOWrapper(kind(raw), encoding=stream.encoding, errors="backslashreplace", line_buffering=line_buffering)


def _buffer(wrapped: io.TextIOWrapper | None) -> Any:
    return None if wrapped is None else wrapped.buffer


def _detach(wrapped: io.TextIOWrapper) -> None:
    """Write what is buffered and leave the file open. What cannot be written is dropped."""
    try:
        wrapped.flush()
    except OutputFailed:
        _discard(wrapped.buffer)
    wrapped.detach().detach()  # type: ignore[attr-defined]


def _discard(buffer: Any) -> None:
    """Let the file descriptor below `buffer` lead to nowhere, so that what is buffered can be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, buffer.raw.fileno())
    finally:
        os.close(nowhere)
