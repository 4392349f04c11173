"""A clock that passes when it is told to."""

now_ms = 0


def ticks_ms() -> int:
    return now_ms


def ticks_diff(later: int, earlier: int) -> int:
    return later - earlier


def sleep_ms(ms: int) -> None:
    global now_ms
    now_ms += ms


def sleep(seconds: float) -> None:
    sleep_ms(int(seconds * 1000))
