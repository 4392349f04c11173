"""Integer arithmetic with the same results on every interpreter."""


def isqrt(x: int) -> int:
    """The integer square root of x < 2**30 (rounded down), 0 for x <= 0. Newton's method, from above."""
    if x < 2:
        return x if x > 0 else 0
    root = 1024 if x < 1048576 else 32768
    while True:
        better = (root + x // root) >> 1
        if better >= root:
            return root
        root = better
