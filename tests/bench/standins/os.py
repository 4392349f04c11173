"""A flash with room, whose files forget what is written."""


class Sink:
    """A file that takes everything and keeps nothing."""

    def write(self, data: object) -> int:
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def listdir(path: str) -> list:
    return ["sessions", "tail"] if path == "/" else []


def statvfs(path: str) -> tuple:
    return (4096, 4096, 512, 400, 400, 0, 0, 0, 0, 255)


def urandom(count: int) -> bytes:
    return bytes(count)


def stat(path: str) -> tuple:
    raise OSError(2)


def rename(old: str, new: str) -> None:
    """Nothing lies here that has a name."""
