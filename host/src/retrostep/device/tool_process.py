"""Another program that works with a board, such as mpremote: its output line by line, and an end in any case."""

import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from retrostep.device.patience import Patience
from retrostep.errors import RetrostepError

LINES_KEPT = 100
LINE_BYTES_MAX = 65_536
"""A longer line is cut here: it is noise, and must not fill the memory."""


def run_tool(
    command: Sequence[str], patience: Patience, on_line: Callable[[str], int], lost: Callable[[str], RetrostepError]
) -> tuple[int, list[str]]:
    """Run `command` to its end: its exit status, and the last LINES_KEPT lines that it printed.

    `on_line` gets each line as it is printed and returns how much progress it is. Without enough progress the program is killed, and
    lost("silent"), lost("busy") after output of no use, or lost("endless") where only its end is missing, is raised.
    """
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.stdout is not None
    lines: deque[str] = deque(maxlen=LINES_KEPT)
    try:
        for line in _lines(_chunks(run.stdout, patience, lost)):
            lines.append(line)
            patience.progress(on_line(line))
        run.wait(max(1.0, patience.left_s))
    except subprocess.TimeoutExpired:
        raise lost("endless") from None
    finally:
        if run.poll() is None:
            run.kill()
        run.wait()
    return run.returncode, list(lines)


def _chunks(output: IO[bytes], patience: Patience, lost: Callable[[str], RetrostepError]) -> Iterator[bytes]:
    """What arrives on `output`, until its end, or until `patience` is over.

    A thread reads, because Windows cannot wait for a pipe with a time limit.
    """
    arrived: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        with output:
            while chunk := output.read1(LINE_BYTES_MAX):  # type: ignore[attr-defined]
                arrived.put(chunk)
        arrived.put(b"")

    threading.Thread(target=read, daemon=True).start()
    has_printed = False
    while not patience.is_over:
        try:
            chunk = arrived.get(timeout=max(0.0, patience.left_s))
        except queue.Empty:
            continue
        if not chunk:
            return
        has_printed = True
        yield chunk
    raise lost("busy" if has_printed else "silent")


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """The lines of `chunks`; the last one may lack its end."""
    rest = b""
    for chunk in chunks:
        *complete, rest = (rest + chunk).split(b"\n")
        if len(rest) > LINE_BYTES_MAX:
            complete, rest = [*complete, rest], b""
        for line in complete:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace").rstrip("\r")
