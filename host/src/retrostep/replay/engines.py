"""Recordings through the core on this interpreter or on MicroPython, from the same samples."""

import importlib.util
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import retrostep_core
from retrostep_core.gait.engine import Engine
from retrostep_core.gait.limits import Limits

from retrostep.errors import RetrostepError
from retrostep.plain_text import clean
from retrostep.replay.events import FIELDS, ListSink, Replayed
from retrostep.replay.imu import blocks
from retrostep.replay.recording import ImuRecording

_CHILD = Path(__file__).with_name("child.py")
_HEAP = "8m"


class MicroPythonError(RetrostepError):
    """MicroPython is missing, or it ended before it returned its results."""


def on_host(recordings: Iterable[ImuRecording], limits: Limits) -> Iterator[Replayed]:
    """Each recording through the engine on this interpreter."""
    for recording in recordings:
        sink = ListSink()
        engine = Engine(sink, limits, recording.placement, recording.side, recording.mount != "?")
        engine.has_gyro = recording.has_gyro
        at_ms = 0
        for block in blocks(recording):
            engine.samples(block.samples, block.n, block.t0_ms, block.period_us)
            at_ms = block.t0_ms + (block.n - 1) * block.period_us // 1000
        engine.finish(at_ms)
        counted = engine.totals
        totals = counted.counted()
        yield Replayed(recording.name, recording.t_s[0], recording.duration_s, recording.mount, sink.events, totals)


def on_micropython(recordings: Iterable[ImuRecording], limits: Limits) -> Iterator[Replayed]:
    """Each recording through the same core in one MicroPython process, fed in blocks."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [*interpreter(), "-X", f"heapsize={_HEAP}", str(_CHILD), str(Path(retrostep_core.__file__).parent.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert child.stdin is not None and child.stdout is not None
        try:
            for recording in recordings:
                feeder = threading.Thread(target=_feed, args=(child.stdin, recording, limits), daemon=True)
                feeder.start()
                replayed = _results(child.stdout, recording)
                feeder.join()
                if isinstance(replayed, str):
                    child.wait()
                    errors.seek(0)
                    lines = errors.read(10_000).decode(errors="replace").strip().splitlines() or [replayed or "it printed nothing"]
                    raise MicroPythonError(f"MicroPython ended in the middle of {recording.name}: {clean(lines[-1])[:200]}.")
                yield replayed
        finally:
            child.stdout.close()
            try:
                child.stdin.close()
            except BrokenPipeError:
                child.kill()
            child.wait()


def interpreter() -> list[str]:
    """The command that starts MicroPython; MicroPythonError where it is not installed."""
    if importlib.util.find_spec("micropython_unix") is None:
        raise MicroPythonError("MicroPython is not installed here: pip install 'retrostep[virtual]'.")
    return [sys.executable, "-c", "import micropython_unix; micropython_unix.main()"]


def _feed(pipe: IO[bytes], recording: ImuRecording, limits: Limits) -> None:
    """Write one recording's header, blocks and end, as child.py reads them. If the child ended, the reader of its results reports it."""
    try:
        flags = (recording.mount != "?") | recording.has_gyro << 1
        pipe.write(struct.pack("<BBB24s", recording.placement, recording.side, flags, limits.pack()))
        for block in blocks(recording):
            pipe.write(struct.pack("<Hii", block.n, block.t0_ms, block.period_us) + block.samples.tobytes())
        pipe.write(struct.pack("<Hii", 0, 0, 0))
        pipe.flush()
    except BrokenPipeError:
        return


def _results(pipe: IO[bytes], recording: ImuRecording) -> Replayed | str:
    """The child's events and totals for one recording; its last line that was no event where it ended before the totals."""
    replayed = Replayed(recording.name, recording.t_s[0], recording.duration_s, recording.mount)
    last_line = ""
    for line in pipe:
        event, *numbers = line.decode(errors="replace").split() or [""]
        if event == "totals":
            forward, backward, unknown, forward_ms, backward_ms = (int(number) for number in numbers)
            replayed.totals = (forward, backward, unknown, forward_ms, backward_ms)
            return replayed
        if FIELDS.get(event) == len(numbers):
            replayed.events.append((event, tuple(int(number) for number in numbers)))
        else:
            last_line = line.decode(errors="replace").strip()
    return last_line
