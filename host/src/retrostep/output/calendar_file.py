"""A plan as an iCalendar file (RFC 5545), which calendars of phones and computers import."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event

from retrostep.archive.backward_gait import GAIT_NAMES
from retrostep.archive.identifiers import person_key
from retrostep.plain_text import clean
from retrostep.training.plan import Allowance
from retrostep.units import duration


def calendar_file(athlete: str, planned: Iterable[Allowance], warm_up_ms: int, is_hurt: bool = False) -> bytes:
    """A calendar with an all-day event for each planned session.

    An event keeps its UID when the plan is made again for that day, so that a calendar updates it. `is_hurt`: pain, limping or
    swelling was noted and has to settle first.
    """
    stamp = datetime.now(UTC).replace(microsecond=0)
    name = clean(athlete)
    calendar = Calendar()
    calendar.add("prodid", "-//Retrostep//plan//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Backward running: {name}")
    who = hashlib.sha256(person_key(athlete).encode()).hexdigest()[:16]
    for session in planned:
        day = date.fromordinal(session.day)
        event = Event()
        event.add("uid", f"{day:%Y%m%d}-{who}@retrostep")
        event.add("dtstamp", stamp)
        event.add("dtstart", day)
        event.add("dtend", day + timedelta(days=1))
        event.add("summary", f"{name}: {GAIT_NAMES[session.gait]} backward {duration(1_000 * (session.most_s or 0))}")
        settled = "Only if pain, limping and swelling have settled. " if is_hurt else ""
        warm_up = f"Warm up forward for {duration(warm_up_ms)} first. " if warm_up_ms else ""
        event.add("description", f"{settled}{warm_up}Stretch the lower limbs afterwards. Planned by Retrostep; not medical advice.")
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())
