"""Integer arithmetic that every interpreter does alike."""


def isqrt(x: int) -> int:
    """Whole root of x < 2**30, 0 for x <= 0, by Newton's rule from above."""
    if x < 2:
        return x if x > 0 else 0
    r = 1024 if x < 1048576 else 32768
    while True:
        s = (r + x // r) >> 1
        if s >= r:
            return r
        r = s
