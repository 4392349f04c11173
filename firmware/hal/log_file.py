"""The log that is being written, and its tail (hal/store.py)."""


class LogFile:
    """The file of the open log. `flushed` bytes are in it after a power cut, and `in_tail` more are in the tail."""

    def __init__(self, store: object, number: int, file: object, length: int) -> None:
        self._store = store
        self._file = file
        self._length = length
        self.number = number
        self.flushed = length
        self.in_tail = 0

    def write(self, data: object) -> int:
        """Append `data`; the number of bytes is returned. OSError where the flash is full or fails."""
        self._file.write(data)
        self._length += len(data)
        self._store.log_grew(len(data))
        return len(data)

    def flush(self) -> None:
        """The bytes written so far survive a power cut after this; OSError where the flash is full or fails."""
        self._file.flush()
        self.flushed = self._length
        self.in_tail = 0
        self._store.log_flushed(self.number)

    def write_tail(self, view: object, done: int) -> bool:
        """Put `view`, which follows the flushed bytes, into the tail. Its first `done` bytes are there already.

        True: all of it survives a power cut. False: the tail cannot take it; write and flush instead. OSError where the flash fails.
        """
        if not self._store.write_tail(self.number, self.flushed, view, done):
            return False
        self.in_tail = len(view)
        return True

    def close(self) -> None:
        """Flush and close. It may be called twice. OSError where the flash fails; the log is closed all the same."""
        try:
            self._file.close()
        finally:
            self._store.log_closed(self)
