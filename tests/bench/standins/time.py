"""A clock that a program moves."""

now_ms = 0


def ticks_ms() -> int:
    return now_ms


def ticks_diff(end: int, start: int) -> int:
    return end - start


def sleep_ms(ms: int) -> None:
    global now_ms
    now_ms += ms


def sleep(seconds: float) -> None:
    sleep_ms(int(seconds * 1000))
