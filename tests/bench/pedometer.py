"""The pedometer that Analog Devices published: N. Zhao, "Full-Featured Pedometer Design Realized with 3-Axis Digital Accelerometer",
Analog Dialogue 44-06, June 2010. Written from quotations of the article; its full text was not available.

1. 50 samples a second; each axis is averaged over four samples (the article sums them).
2. Dynamic threshold: every 50 samples, the middle between the largest and the smallest value becomes the threshold of the next second.
3. Dynamic precision: a new value replaces the last one only if it differs by more than the precision (no value given; here 0.1 g).
4. A step is a fall through the threshold on the axis with the largest peak-to-peak change.
5. Time window: steps are 0.2 to 2 s apart.
6. Count regulation: the fourth regular step in a row credits all four. A step out of time starts the search again.
"""

from collections import deque

import numpy as np

RATE_HZ = 50.0
SUM_OF = 4
WINDOW = 50
PRECISION_G = 0.1
LEAST_S, MOST_S = 0.2, 2.0
REGULAR = 4


def steps(t_s: np.ndarray, acc_g: np.ndarray) -> list[tuple[float, float]]:
    """(t, at) of steps in seconds, from n x 3 accelerations in g."""
    times = np.arange(t_s[0], t_s[-1], 1 / RATE_HZ)
    samples = np.stack([np.interp(times, t_s, acc_g[:, k]) for k in range(3)], 1)
    last: deque[np.ndarray] = deque(maxlen=SUM_OF)
    low, high = samples[0].copy(), samples[0].copy()
    threshold = samples[0].copy()
    axis = 0
    old = new = samples[0].copy()
    credited: list[tuple[float, float]] = []
    waiting: list[float] = []
    regular = False
    before_s = -MOST_S
    for n, (at, sample) in enumerate(zip(times, samples, strict=True)):
        last.append(sample)
        result = np.mean(last, 0)
        low, high = np.minimum(low, result), np.maximum(high, result)
        if n % WINDOW == WINDOW - 1:
            threshold = (low + high) / 2
            axis = int(np.argmax(high - low))
            low, high = result.copy(), result.copy()
        old = new.copy()
        new = np.where(np.abs(result - new) > PRECISION_G, result, new)
        if not (new[axis] < threshold[axis] <= old[axis]):
            continue
        interval = at - before_s
        if interval < LEAST_S:
            continue
        before_s = at
        if interval > MOST_S:
            waiting, regular = [float(at)], False
        elif regular:
            credited.append((float(at), float(at)))
        else:
            waiting.append(float(at))
            if len(waiting) == REGULAR:
                credited += [(t, float(at)) for t in waiting]
                waiting, regular = [], True
    return credited
