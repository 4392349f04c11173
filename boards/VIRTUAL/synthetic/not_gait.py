"""Plans of motion that is not gait: one constructor for each exercise, and the classes that the bench measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synthetic import exercises
from synthetic.exercises import Exercise
from synthetic.plan import Jog, Segment, Shuffle, Sit, Stand, Walk
from synthetic.sensor import Wear


def _segment(seconds: float, name: str, fill: Callable[..., None], **values: object) -> Segment:
    return Segment(seconds, exercise=Exercise(name, fill, tuple(values.items())))


def Cycle(
    seconds: float,
    rpm: float = 80,
    backward: bool = False,
    road_g: float = 0.0,
    standing: bool = False,
    recumbent: bool = False,
    pauses: bool = False,
) -> Segment:
    """Cycling at `rpm` turns of the crank a minute; `road_g` (rms) is 0 on a stationary bicycle, 0.1 to 0.4 on a road."""
    how = {"rpm": rpm, "backward": backward, "road_g": road_g, "standing": standing, "recumbent": recumbent, "pauses": pauses}
    return _segment(seconds, "cycling", exercises.cycling, **how)


def Elliptical(seconds: float, rpm: float = 60, backward: bool = False) -> Segment:
    """An elliptical trainer at `rpm` strides a minute."""
    return _segment(seconds, "elliptical", exercises.elliptical, rpm=rpm, backward=backward)


def Row(seconds: float, per_min: float = 26) -> Segment:
    """A rowing machine."""
    return _segment(seconds, "rowing", exercises.rowing, per_min=per_min)


def LegCurl(seconds: float, per_min: float = 35, posture: str = "prone") -> Segment:
    """Leg curls on a machine; prone, seated or standing."""
    return _segment(seconds, "leg curl", exercises.leg_machine, per_min=per_min, curl=True, posture=posture)


def LegExtension(seconds: float, per_min: float = 25) -> Segment:
    """Leg extensions on a machine, seated."""
    return _segment(seconds, "leg extension", exercises.leg_machine, per_min=per_min, curl=False, posture="seated")


def Ride(
    seconds: float, rms_g: float = 0.2, rms_dps: float = 12, low_hz: float = 1.2, high_hz: float = 2.2, seated: bool = True
) -> Segment:
    """A bus or a car that shakes within a band: 1.2 to 2.2 Hz is a soft suspension, 0.5 to 20 Hz a rough road."""
    return _segment(seconds, "ride", exercises.riding, rms_g=rms_g, rms_dps=rms_dps, low_hz=low_hz, high_hz=high_hz, seated=seated)


def DrumHeel(seconds: float, per_min: float = 300, toes: bool = False) -> Segment:
    """Seated, tapping with the heel or the toes."""
    return _segment(seconds, "heel drumming", exercises.heel_drumming, per_min=per_min, toes=toes)


def JumpRope(seconds: float, per_min: float = 130, jacks: bool = False) -> Segment:
    """Jumps with both feet: a rope, or jumping jacks. A jump is no step; a counter that sees landings may see one for each jump."""
    return _segment(seconds, "rope jumping", exercises.jumping, per_min=per_min, jacks=jacks)


def Squat(seconds: float, per_min: float = 25) -> Segment:
    """Squats."""
    return _segment(seconds, "squats", exercises.squatting, per_min=per_min)


def SwingLeg(seconds: float, per_min: float = 55, seated: bool = True) -> Segment:
    """A leg swings freely, from a high seat or standing."""
    return _segment(seconds, "leg swinging", exercises.leg_swinging, per_min=per_min, seated=seated)


def PushWheelchair(seconds: float, per_min: float = 50, floor_g: float = 0.08) -> Segment:
    """Pushing a wheelchair's rims; `floor_g` (rms) is the vibration of the floor."""
    return _segment(seconds, "wheelchair", exercises.wheelchair, per_min=per_min, floor_g=floor_g)


def Fidget(seconds: float) -> Segment:
    """Standing restlessly."""
    return _segment(seconds, "fidgets", exercises.fidgeting)


@dataclass(frozen=True)
class Variant:
    """One recording of a class of motion that is not gait."""

    label: str
    plan: tuple[Segment, ...]
    place: str = "shank"

    def wear(self, seed: int) -> Wear:
        """Either leg, by the seed."""
        return Wear(side="left" if seed % 2 else "right", place=self.place)


EACH_S = 60.0
"""Duration of each variant; the wearer stands before and after it."""


def _between(segment: Segment) -> tuple[Segment, ...]:
    return (Stand(3), segment, Stand(3))


def _both(label: str, segment: Segment) -> list[Variant]:
    return [Variant(f"{label}, {place}", _between(segment), place) for place in ("shank", "waist")]


def _cycling() -> dict[str, list[Variant]]:
    s = EACH_S
    out = {}
    for name, backward in (("cycling forward", False), ("cycling backward", True)):
        out[name] = [
            *(Variant(f"{rpm}/min", _between(Cycle(s, rpm, backward))) for rpm in (40, 50, 60, 70, 80, 90, 100, 110)),
            *(Variant(f"{rpm}/min recumbent", _between(Cycle(s, rpm, backward, recumbent=True))) for rpm in (55, 85)),
            *(Variant(f"{rpm}/min with pauses", _between(Cycle(s, rpm, backward, pauses=True))) for rpm in (60, 90)),
        ]
    for rpm, road_g in ((45, 0.3), (65, 0.1), (85, 0.2), (95, 0.35)):
        out["cycling forward"].append(Variant(f"{rpm}/min on a road", _between(Cycle(s, rpm, road_g=road_g))))
    for rpm in (50, 75):
        out["cycling forward"].append(Variant(f"{rpm}/min out of the saddle", _between(Cycle(s, rpm, road_g=0.1, standing=True))))
    for rpm, road_g in ((60, 0.0), (90, 0.25)):
        out["cycling forward"].append(Variant(f"{rpm}/min, waist", _between(Cycle(s, rpm, road_g=road_g)), "waist"))
    return out


def _machines() -> dict[str, list[Variant]]:
    s = EACH_S
    out = {}
    for name, backward in (("elliptical forward", False), ("elliptical backward", True)):
        out[name] = [v for rpm in (40, 50, 60, 70, 80) for v in _both(f"{rpm}/min", Elliptical(s, rpm, backward))]
    out["rowing"] = [v for per_min in (18, 24, 30, 36) for v in _both(f"{per_min}/min", Row(s, per_min))]
    tempos = (15, 25, 35, 45, 60, 75, 90)
    postures = ("prone", "seated", "standing")
    out["leg curls"] = [Variant(f"{how} {tempo}/min", _between(LegCurl(s, tempo, how))) for how in postures for tempo in tempos]
    out["leg extensions"] = [Variant(f"{tempo}/min", _between(LegExtension(s, tempo))) for tempo in tempos]
    return out


def _rides() -> dict[str, list[Variant]]:
    s = EACH_S
    soft = ((0.1, 8, 1.0, 1.6), (0.25, 16, 1.3, 2.1), (0.3, 25, 1.6, 2.6), (0.2, 20, 0.8, 1.2), (0.35, 30, 2.0, 3.2))
    rough = ((0.05, 4, 0.5, 20), (0.15, 10, 0.5, 20), (0.3, 20, 0.7, 15), (0.2, 30, 0.5, 6))
    bus = []
    for rms_g, rms_dps, low, high in soft:
        for seated, how in ((True, "seated"), (False, "standing")):
            bus += _both(f"{low:g} to {high:g} Hz {how}", Ride(s, rms_g, rms_dps, low, high, seated))
    car = [v for g, dps, low, high in rough for v in _both(f"{low:g} to {high:g} Hz {g:g} g", Ride(s, g, dps, low, high))]
    chair = [v for tempo, g in ((35, 0.03), (50, 0.08), (65, 0.15)) for v in _both(f"{tempo}/min", PushWheelchair(s, tempo, g))]
    return {"bus": bus, "car": car, "wheelchair": chair}


def _on_the_spot() -> dict[str, list[Variant]]:
    s = EACH_S
    heel = [Variant(f"{tempo}/min", _between(DrumHeel(s, tempo))) for tempo in (80, 110, 140, 180, 240, 300, 380)]
    toes = [Variant(f"toes {tempo}/min", _between(DrumHeel(s, tempo, toes=True))) for tempo in (90, 130, 200)]
    rope = [v for tempo in (90, 110, 130, 150) for v in _both(f"{tempo}/min", JumpRope(s, tempo))]
    jacks = [v for tempo in (50, 65) for v in _both(f"jacks {tempo}/min", JumpRope(s, tempo, jacks=True))]
    seats = ((True, "seated"), (False, "standing"))
    swings = [Variant(f"{how} {n}/min", _between(SwingLeg(s, n, seated))) for seated, how in seats for n in (35, 45, 55, 65, 75)]
    return {
        "heel drumming": heel + toes,
        "rope jumping": rope + jacks,
        "squats": [v for tempo in (12, 20, 30, 40) for v in _both(f"{tempo}/min", Squat(s, tempo))],
        "leg swinging": swings,
        "fidgets": [*_both("standing", Fidget(s)), Variant("shuffling", _between(Shuffle(s))), Variant("sitting", _between(Sit(s)))],
    }


def _carried() -> list[Variant]:
    s = EACH_S
    gaits = (("slow walk", Walk(s, 85)), ("walk", Walk(s, 112)), ("jog", Jog(s, 156)))
    return [Variant(f"{place}, {name}", _between(gait), place) for place in ("hand", "bag") for name, gait in gaits]


CLASSES: dict[str, list[Variant]] = {**_cycling(), **_machines(), **_rides(), **_on_the_spot(), "carried": _carried()}
"""Name: variants. In all but `carried` no step is made and every direction is wrong. In `carried` only `backward` is wrong."""


def _apart(*segments: Segment) -> list[Segment]:
    plan = [Stand(3)]
    for segment in segments:
        plan += [segment, Stand(3)]
    return plan


PLANS: dict[str, tuple[str, Callable[[], list[Segment]]]] = {
    "cycling": ("cycling on a road", lambda: _apart(Cycle(60, 80, road_g=0.15))),
    "cycling_backward": ("pedalling backward", lambda: _apart(Cycle(60, 70, backward=True))),
    "elliptical": ("an elliptical trainer, forward, then backward", lambda: _apart(Elliptical(45), Elliptical(45, 55, True))),
    "rowing": ("a rowing machine", lambda: _apart(Row(60))),
    "leg_machines": ("leg curls and leg extensions", lambda: _apart(LegCurl(45), LegExtension(45))),
    "bus_and_car": ("a soft bus, then a car on a rough road", lambda: _apart(Ride(60), Ride(60, 0.15, 10, 0.5, 20))),
    "heel_drumming": ("tapping with the heel, then with the toes", lambda: _apart(DrumHeel(45), DrumHeel(30, 120, True))),
    "rope_jumping": ("a rope, then jumping jacks", lambda: _apart(JumpRope(45), JumpRope(30, 60, True))),
    "squats": ("squats", lambda: _apart(Squat(45))),
    "leg_swinging": ("a leg swings, seated, then standing", lambda: _apart(SwingLeg(45), SwingLeg(45, 50, False))),
    "wheelchair": ("pushing a wheelchair", lambda: _apart(PushWheelchair(60))),
    "fidgets": ("standing restlessly", lambda: _apart(Fidget(60))),
}
"""Name: (description, function that makes the segments). None has a step."""
