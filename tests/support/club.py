"""A synthetic club with some weeks of training, as logs that its devices would have written, in a store."""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from retrostep.archive.identifiers import person_key, person_likeness
from retrostep.archive.store import Store
from retrostep.device.core_version import core_hash
from retrostep_core import codes
from retrostep_core.codes import BACKWARD, FORWARD, STILL

from support.logs import LogBuilder

HOSTILE = (
    '<script>alert("1")</script>',
    'O\'Neil "Q" & </title><img src=x onerror=alert(1)>',
    "\u0645\u0631\u064a\u0645 \u202egnp.exe",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3c3",
    "{{ 7 * 7 }} {% raw %}",
    "A" * 500,
)
"""Names that must stay text: markup, quotes, right to left with an override, emoji with joiners, a template, and no place to break.
A person cannot enter all of them; a foreign store may have them."""


def day_log(number: int, device: str, started: datetime, backward_s: Sequence[float], dice: random.Random) -> bytes:
    """Warm-up, backward bouts with a forward walk after each, their impacts and an alert in every third session."""
    log = LogBuilder(number, device=device, boot=number, core_hash=core_hash()).clock(int(started.timestamp() * 1_000))
    log.bout(FORWARD, 330, 158)
    for seconds in backward_s:
        log.bout(BACKWARD, seconds, dice.randint(150, 172))
        contacts = max(1, int(seconds))
        log.load(BACKWARD, [contacts, 0, contacts * 3_100, 6_000, contacts * 3_900, 8_000, contacts * 90, 180])
        log.bout(FORWARD, 40, dice.randint(105, 118))
        log.load(FORWARD, [30, 0, 30 * 4_400, 7_000, 30 * 5_200, 9_000, 30 * 110, 200])
    if number % 3 == 0:
        log.alert(codes.RAMP, codes.STOP, 172, 150)
    if number % 5 == 0:
        log.gap(log.t_ms - 9_000, log.t_ms)
    log.bout(STILL, 60).mark(codes.MARK_STRETCH)
    return log.end()


def fill_club(store: Store, names: Sequence[str], days: int = 35, sessions_a_week: float = 3.5, end: datetime | None = None) -> None:
    """Athletes with training on the days before `end` (default: now), each with one device. The first one has a jump, pain and notes."""
    end = end or datetime.now(UTC)
    for n in range(len(names)):
        dice, device, number = random.Random(n), f"RS-{n:012X}", 0
        store.add_athlete(f"Athlete {n}")
        store.assign(device, f"Athlete {n}")
        for ago in range(days, n % 4, -1):
            hours = [dice.randint(8, 18)] if sessions_a_week <= 7 else range(8, 8 + round(sessions_a_week / 7))
            for hour in hours:
                if dice.random() > sessions_a_week / 7:
                    continue
                number += 1
                seconds = [dice.uniform(25, 35) for _ in range(2)]
                if n == 0 and ago < 4:
                    seconds *= 3
                started = (end - timedelta(days=ago)).replace(hour=hour, minute=dice.randint(0, 59) if len(hours) == 1 else 0)
                log = day_log(number, device, started, seconds, dice)
                store.raw.commit(device, number, log)
                store.ingest(device, number, log, end)
                if n == 0 and ago < 6:
                    store.note(device, number, pain=6, rpe=7, text=f"left calf {names[n]}")


def club_store(folder: Path, names: Sequence[str], days: int = 35, sessions_a_week: float = 3.5) -> str:
    """Make a data folder with a club, and return the URL of its store."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder / 'store.sqlite'}"
    with Store(url) as store:
        fill_club(store, names, days, sessions_a_week)
    # A person could not enter some of the names.
    with closing(sqlite3.connect(folder / "store.sqlite")) as database, database:
        for n, name in enumerate(names):
            values = (name, person_key(name), person_likeness(name), f"Athlete {n}")
            database.execute("UPDATE athletes SET name = ?, key = ?, likeness = ? WHERE name = ?", values)
    return url
