"""Eight rules of the check with data frames: `python -m bench.club_frames pandas|polars STORE.sqlite`.

It prints how many athletes have which worst verdict. Days are 24 hours here; recordings are not merged, and nothing is unknown.
"""

import sqlite3
import sys
import time
from collections import Counter

QUERY = """
SELECT athlete_id AS athlete, started_at_ms AS start, backward_ms AS ms, backward_cadence_x10 AS cadence, ramp_stops AS stops,
       warm_up_ms AS warm_up, stretch_mark AS stretch
FROM sessions WHERE athlete_id IS NOT NULL AND excluded_why IS NULL AND backward_ms >= 10000 AND started_at_ms >= {since}
ORDER BY athlete_id, started_at_ms
"""
DAY_MS = 86_400_000
NOW_MS = int(time.time() * 1_000)
JUDGED_MS = NOW_MS - 7 * DAY_MS
WARN, FAIL = 3, 4
VERDICTS = {0: "ok", 1: "info", WARN: "warn", FAIL: "fail"}


def with_pandas(path: str) -> Counter[str]:
    """The rules with pandas."""
    import pandas as pd

    with sqlite3.connect(path) as database:
        frame = pd.read_sql(QUERY.format(since=JUDGED_MS - 30 * DAY_MS), database)
    frame.index = pd.to_datetime(frame["start"], unit="ms")
    by_athlete = frame.groupby("athlete", sort=False)

    def rolled(column: str, days: int, what: str, closed: str) -> "pd.Series[float]":
        return getattr(by_athlete[column].rolling(f"{days}D", closed=closed), what)().to_numpy()

    spike = frame["ms"] / rolled("ms", 30, "max", "left") - 1
    spike_verdict = (spike > 0.1) * 1
    spike_verdict = spike_verdict.mask((spike > 0.1) & (frame["ms"] > 60_000), WARN).mask((spike > 0.3) & (frame["ms"] > 120_000), FAIL)
    days_between = by_athlete["start"].diff() / DAY_MS
    exposed = frame["ms"].where(days_between.isna() | (days_between > 15), 0)
    number = rolled("ms", 7, "count", "right")
    jump = frame["cadence"] / rolled("cadence", 28, "median", "left") - 1
    worst = pd.concat(
        [
            spike_verdict,
            (exposed > 120_000) * WARN + (exposed > 300_000),
            pd.Series((number > 3) * WARN + (number > 4), frame.index),
            (jump > 0.1) * WARN + (jump > 0.15),
            (frame["stops"] >= 1) * WARN + (frame["stops"] >= 3),
            (frame["warm_up"] < 300_000) * WARN,
            (frame["stretch"] == 0) * WARN,
        ],
        axis=1,
    ).max(axis=1)
    judged = worst.where(frame["start"] >= JUDGED_MS, 0).groupby(frame["athlete"].to_numpy()).max()
    now = frame["ms"].where(frame["start"] >= JUDGED_MS, 0).groupby(frame["athlete"].to_numpy()).sum()
    is_before = (frame["start"] < JUDGED_MS) & (frame["start"] >= JUDGED_MS - 7 * DAY_MS)
    before = frame["ms"].where(is_before, 0).groupby(frame["athlete"].to_numpy()).sum()
    week = (now > 1.3 * before) * WARN
    return Counter(VERDICTS[int(verdict)] for verdict in pd.concat([judged, week], axis=1).max(axis=1))


def with_polars(path: str) -> Counter[str]:
    """The rules with polars."""
    import polars as pl

    with sqlite3.connect(path) as database:
        frame = pl.read_database(QUERY.format(since=JUDGED_MS - 30 * DAY_MS), database)
    at = pl.col("start").cast(pl.Datetime("ms")).alias("at")
    ms, cadence, start = pl.col("ms"), pl.col("cadence"), pl.col("start")
    frame = frame.with_columns(at).with_columns(
        spike=ms / ms.rolling_max_by("at", "30d", closed="left").over("athlete") - 1,
        days=(start.diff().over("athlete") / DAY_MS).fill_null(99),
        number=ms.is_not_null().cast(pl.Int32).rolling_sum_by("at", "7d", closed="right").over("athlete"),
        jump=cadence / cadence.rolling_median_by("at", "28d", closed="left").over("athlete") - 1,
    )

    def graded(value: pl.Expr, warn: float, fail: float) -> pl.Expr:
        return pl.when(value > fail).then(FAIL).when(value > warn).then(WARN).otherwise(0)

    spike = pl.when((pl.col("spike") > 0.3) & (ms > 120_000)).then(FAIL)
    spike = spike.when((pl.col("spike") > 0.1) & (ms > 60_000)).then(WARN).when(pl.col("spike") > 0.1).then(1).otherwise(0)
    worst = pl.max_horizontal(
        spike,
        graded(pl.when(pl.col("days") > 15).then(ms).otherwise(0), 120_000, 300_000),
        graded(pl.col("number"), 3, 4),
        graded(pl.col("jump"), 0.1, 0.15),
        graded(pl.col("stops"), 0, 2),
        pl.when(pl.col("warm_up") < 300_000).then(WARN).otherwise(0),
        pl.when(pl.col("stretch") == 0).then(WARN).otherwise(0),
    )
    is_judged, is_before = start >= JUDGED_MS, (start < JUDGED_MS) & (start >= JUDGED_MS - 7 * DAY_MS)
    by_athlete = frame.with_columns(worst=worst).group_by("athlete").agg(
        judged=pl.col("worst").filter(is_judged).max().fill_null(0),
        week=pl.when(ms.filter(is_judged).sum() > 1.3 * ms.filter(is_before).sum()).then(WARN).otherwise(0),
    )
    return Counter(VERDICTS[verdict] for verdict in by_athlete.select(pl.max_horizontal("judged", "week")).to_series())


if __name__ == "__main__":
    found = {"pandas": with_pandas, "polars": with_polars}[sys.argv[1]](sys.argv[2])
    print(", ".join(f"{number} {verdict}" for verdict, number in sorted(found.items())))
