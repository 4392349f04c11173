"""A process that reads logs for another one (log_readers.py): lists of RawLog come on stdin, lists of ReadLog go to stdout."""

import pickle
import sys

from retrostep.archive.log_rows import read_rows
from retrostep.archive.rare_collections import rare_collections


def main() -> None:
    """Answer each list until stdin ends, which it also does when the other process is killed."""
    with rare_collections():
        while True:
            try:
                logs = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            pickle.dump([read_rows(log) for log in logs], sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
