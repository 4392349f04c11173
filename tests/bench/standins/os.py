"""A flash with free space. Its files discard what is written."""


class LogFile:
    """An open file."""

    def write(self, data: object) -> int:
        return len(data)

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "LogFile":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def listdir(path: str) -> list:
    return ["logs", "tail"] if path == "/" else []


def ilistdir(path: str) -> list:
    return []


def mkdir(path: str) -> None:
    raise OSError(17)


def statvfs(path: str) -> tuple:
    return (4096, 4096, 512, 400, 400, 0, 0, 0, 0, 255)


def urandom(count: int) -> bytes:
    return bytes(count)


def stat(path: str) -> tuple:
    raise OSError(2)


def rename(path: str, file: str) -> None:
    """Do nothing: there are no files."""
