"""A person who carries out a plan: the poses of the leg, the contacts of both feet, and the motion at the sensor's place.

Consecutive gaits are blended. A bout starts from standing and ends in standing with a complete step. All arrays hold one value each
1 / fine_hz.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from synthetic.course import METAL_IMPACT, Course, ease
from synthetic.gaits import WALK, Style
from synthetic.leg import GRAVITY, Person, Pose, cycle, pose
from synthetic.places import PLACES, track
from synthetic.plan import Cut, Push, Segment, Stumble
from synthetic.sensor import CHANNELS, Wear

GAIT_BLEND_S = 1.0
"""Two consecutive gaits are blended from this time before their border to this time after it."""
FIRST_STEP_STRIDES, LAST_STEP_STRIDES = 0.5, 0.7
"""In strides: the first step grows, and the last one shrinks, over this part of a stride."""
_SIT_DOWN_S = 1.4
STUMBLE_G = 1.6
PUSH_S = 0.35
MOST_LEAN_RAD = math.radians(32)


@dataclass
class Truth:
    """True steps, directions and cadence. Times are in seconds since the recording's start."""

    steps: list[dict[str, object]] = field(default_factory=list)
    directions: list[dict[str, object]] = field(default_factory=list)
    cadence: list[dict[str, float]] = field(default_factory=list)
    """Scheduled steps a minute, once a second; 0 where no step is planned."""


@dataclass(frozen=True)
class Contact:
    """The initial contact of a foot: time (s), gait, strength (1 is usual), and whether it is the worn leg's (`own`)."""

    at_s: float
    style: Style
    strength: float
    own: bool


@dataclass
class _BoutCourse:
    """One bout, a value for each fine sample: phase in strides, steps a minute, reach, and which gaits are mixed."""

    phase: array[float]
    spm: array[float]
    reach: array[float]
    mix: list[tuple[int, int, float]]
    """(one segment, the next one, weight of the next one)"""
    last_phase: float

    def after(self, i: int) -> float:
        """The phase one fine sample later."""
        return self.phase[i + 1] if i + 1 < len(self.phase) else self.last_phase

    def step_size(self, phase: float) -> float:
        """Size of the step at that phase of the bout, as a share of a full one."""
        return ease((phase - self.phase[0]) / FIRST_STEP_STRIDES) * ease((self.last_phase - phase) / LAST_STEP_STRIDES)


class Walker:
    """A person who carries out `plan` with the sensor worn as in `wear`; random values come from `r`."""

    def __init__(self, plan: Sequence[Segment], person: Person, wear: Wear, r: random.Random, fine_hz: float) -> None:
        self.fine_hz = fine_hz
        self.truth = Truth()
        self._person = person
        self._wear = wear
        self._random = r
        self._mirror = 1 if wear.side == "left" else -1
        self._place = PLACES[wear.place]
        self._poses: list[Pose] = []
        self._spm = array("d")
        self._contacts: list[Contact] = []
        self._last_own: bool | None = None
        """Whether the newest step was the worn foot's; None after a rest."""
        self._turns: list[tuple[float, float, float]] = []
        """(start s, duration s, radians)"""
        self._cuts: list[tuple[float, float, float, float]] = []
        """The same, and the share by which the steps get shorter."""
        self._lean = [(r.uniform(0.1, 0.45), r.uniform(0, 2 * math.pi), math.radians(r.uniform(0.1, 0.3))) for _ in range(6)]
        """Sway in quiet standing: (Hz, start, radians), three forward and three sideways."""
        k = 0
        while k < len(plan):
            bout = [plan[k]]
            while bout[0].style is not None and k + len(bout) < len(plan) and plan[k + len(bout)].direction == bout[0].direction:
                bout.append(plan[k + len(bout)])
            self._add_bout(bout)
            k += len(bout)
        self.truth.cadence = [{"t": float(s), "spm": round(self._spm[int(s * fine_hz)], 2)} for s in range(int(self._now_s))]

    @property
    def _now_s(self) -> float:
        return len(self._spm) / self.fine_hz

    def _add_bout(self, bout: list[Segment]) -> None:
        """Add consecutive segments of one direction, or a single segment without steps."""
        start_s = at_s = self._now_s
        for segment in bout:
            self._turns += [(at_s + t.at_s, t.over_s, math.radians(t.degrees)) for t in segment.turns]
            self._cuts += [(at_s + t.at_s, t.over_s, math.radians(t.degrees), t.slow) for t in segment.turns if isinstance(t, Cut)]
            at_s += segment.seconds
        if bout[0].style is None:
            self._last_own = None
            self._add_rest(bout[0])
        else:
            course = self._plan_bout(bout)
            self._add_contacts(bout, course, start_s)
            self._add_poses(bout, course, start_s)
        direction = self._direction(bout[0])
        directions = self.truth.directions
        if directions and directions[-1]["direction"] == direction:
            directions[-1]["to"] = round(self._now_s, 4)
        else:
            directions.append({"from": round(start_s, 4), "to": round(self._now_s, 4), "direction": direction})

    def _direction(self, segment: Segment) -> str:
        """The true direction; `carried` for a sensor in a hand or a bag, which can be in any orientation."""
        if self._place.any_orientation and segment.direction in ("forward", "backward"):
            return "carried"
        return segment.direction

    def _leads(self, segment: Segment) -> bool:
        """Whether the worn leg is the leading one of a sideways gait."""
        return segment.towards == self._wear.side

    def _append(self, p: Pose, spm: float) -> None:
        """Add one fine sample, with the sway of quiet standing."""
        at = 2 * math.pi * self._now_s
        lean = [size * math.sin(at * hz + start) for hz, start, size in self._lean]
        thigh, frontal = p.thigh + lean[0] + lean[1] + lean[2], p.frontal + lean[3] + lean[4] + lean[5]
        self._poses.append(p._replace(thigh=thigh, frontal=frontal, lean=p.lean + lean[0] + lean[1] + lean[2]))
        self._spm.append(spm)

    # Without steps

    def _add_rest(self, segment: Segment) -> None:
        """An exercise, or stand, shuffle or sit: single joints move at irregular times, and no step is taken."""
        n = round(segment.seconds * self.fine_hz)
        if segment.exercise is not None:
            course = Course(n, self.fine_hz, self._random, self._person)
            segment.exercise.on(course)
            self._contacts += [Contact(self._now_s + at, style, size, own) for at, style, size, own in course.impacts]
            for p in course.poses():
                self._append(p, 0.0)
            return
        thigh, knee, frontal, hip_z = (array("d", bytes(8 * n)) for _ in range(4))
        if segment.idle == "shuffle":
            self._shuffle(segment.seconds, thigh, knee, frontal)
        elif segment.idle == "sit":
            self._sit(segment.seconds, thigh, knee, hip_z)
        for k in range(n):
            self._append(Pose(thigh[k], knee[k], 0.0, hip_z[k], frontal[k]), 0.0)

    def _bump(self, into: array[float], at_s: float, width_s: float, size: float) -> None:
        """Add a bump of `size` to `into`, from `at_s` for `width_s`."""
        first, count = int(at_s * self.fine_hz), int(width_s * self.fine_hz)
        for k in range(max(0, first), min(len(into), first + count)):
            into[k] += size * 0.5 * (1 - math.cos(2 * math.pi * (k - first) / count))

    def _shuffle(self, seconds: float, thigh: array[float], knee: array[float], frontal: array[float]) -> None:
        """Shift the weight from foot to foot; sometimes the heel lands with a small impact."""
        r = self._random
        at = r.uniform(0.6, 1.5)
        while at < seconds - 1.5:
            width = r.uniform(0.5, 1.3)
            bend = math.radians(r.uniform(3, 14))
            self._bump(thigh, at, width, bend * r.uniform(0.3, 0.6))
            self._bump(knee, at, width, bend)
            self._bump(frontal, at + r.uniform(-0.2, 0.2), width * 1.4, math.radians(r.uniform(-5, 5)))
            if r.random() < 0.4:
                self._contacts.append(Contact(self._now_s + at + width * 0.85, WALK, r.uniform(0.05, 0.2), True))
            at += width + r.uniform(0.6, 3.0)

    def _sit(self, seconds: float, thigh: array[float], knee: array[float], hip_z: array[float]) -> None:
        """Sit down on a chair, and stand up at the end; in between the shank swings or the heel bounces a few times."""
        r = self._random
        down = math.radians(82)
        for k in range(len(thigh)):
            at = k / self.fine_hz
            seated = ease(at / _SIT_DOWN_S) * ease((seconds - at) / _SIT_DOWN_S)
            thigh[k] = knee[k] = down * seated
            hip_z[k] = -self._person.thigh_m * 0.9 * seated
        at = 2.0
        while at < seconds - 5:
            if r.random() < 0.5:
                for _ in range(r.randint(1, 4)):
                    width = r.uniform(0.7, 1.2)
                    self._bump(knee, at, width, -math.radians(r.uniform(8, 25)))
                    at += width * r.uniform(0.9, 1.2)
            else:
                # 4 to 6 bounces a second
                beat = r.uniform(0.16, 0.25)
                for _ in range(r.randint(6, 15)):
                    self._bump(thigh, at, beat, math.radians(2.5))
                    at += beat
            at += r.uniform(1.0, 4.0)

    # With steps

    def _plan_bout(self, bout: list[Segment]) -> _BoutCourse:
        """Plan a complete bout before its first step: the last step must end at a contact."""
        r = self._random
        wear = self._wear
        borders = [0.0]
        for segment in bout:
            borders.append(borders[-1] + segment.seconds)
        # Either foot may step first: the worn foot has just left the ground (0.62 of a stride), or the other foot has. Without a stand
        # between two bouts the feet step in turn.
        phase = 0.62 if r.random() < 0.5 else 0.12
        if self._last_own is not None:
            phase = 0.12 if self._last_own else 0.62
        course = _BoutCourse(array("d"), array("d"), array("d"), [], 0.0)
        step = math.floor(phase * 2)
        tempo, next_tempo = 1.0, 1 + r.gauss(0, wear.cadence_jitter)
        reach, next_reach = 1.0, 1 + r.gauss(0, wear.reach_jitter)
        while True:
            at = len(course.phase) / self.fine_hz
            share = phase * 2 - math.floor(phase * 2)
            # A bout ends a little after a contact: the last foot is drawn up to the other one.
            if at >= borders[-1] and phase >= 0.5 and 0.2 <= share < 0.3:
                course.last_phase = phase
                return course
            a, b, weight = _mix(borders, at)
            spm = bout[a].cadence(at - borders[a]) * (1 - weight) + bout[b].cadence(at - borders[b]) * weight
            course.phase.append(phase)
            course.spm.append(spm)
            course.reach.append(reach + (next_reach - reach) * ease(share))
            course.mix.append((a, b, weight))
            phase += spm * (tempo + (next_tempo - tempo) * share) * _mishap_tempo(bout[b], at - borders[b]) / 120 / self.fine_hz
            if math.floor(phase * 2) > step:
                step = math.floor(phase * 2)
                tempo, next_tempo = next_tempo, 1 + r.gauss(0, wear.cadence_jitter)
                reach, next_reach = next_reach, 1 + r.gauss(0, wear.reach_jitter)

    def _add_contacts(self, bout: list[Segment], course: _BoutCourse, start_s: float) -> None:
        """Add the contacts: the worn leg's at integer phases, the other leg's about halfway between them."""
        r = self._random
        other = "right" if self._wear.side == "left" else "left"
        assert bout[0].style is not None
        other_at = bout[0].style.other_at if self._leads(bout[0]) else 1 - bout[0].style.other_at
        other_at += self._person.asymmetry
        direction = self._direction(bout[0])
        for i, before in enumerate(course.phase):
            after = course.after(i)
            for own, shift in ((True, 0.0), (False, other_at)):
                contact_phase = math.floor(after - shift)
                if contact_phase <= math.floor(before - shift):
                    continue
                at = (i + (contact_phase + shift - before) / (after - before)) / self.fine_hz
                a, b, weight = course.mix[i]
                style = (bout[b] if weight >= 0.5 else bout[a]).style
                assert style is not None
                size = max(0.35, course.step_size(contact_phase + shift - 0.2))
                strength = size * (course.spm[i] / style.natural_spm) * r.uniform(0.8, 1.2)
                self._contacts.append(Contact(start_s + at, style, strength, own))
                self._last_own = own
                foot = self._wear.side if own else other
                self.truth.steps.append({"t": round(start_s + at, 4), "foot": foot, "direction": direction})

    def _add_poses(self, bout: list[Segment], course: _BoutCourse, start_s: float) -> None:
        """Add the poses of a bout, with its turns and mishaps."""
        borders = [0.0]
        for segment in bout:
            borders.append(borders[-1] + segment.seconds)
            for mishap in segment.mishaps:
                if isinstance(mishap, Stumble):
                    at_s = start_s + borders[-2] + mishap.at_s
                    self._contacts.append(Contact(at_s, METAL_IMPACT, STUMBLE_G * mishap.strength, True))
        cycles = [cycle(s.style, self._person) for s in bout if s.style is not None]
        for i, phase in enumerate(course.phase):
            spm = course.spm[i]
            strides_hz = (course.after(i) - phase) * self.fine_hz
            size = course.step_size(phase) * course.reach[i] * self._reach_near_cuts(i / self.fine_hz + start_s)
            a, b, weight = course.mix[i]
            mixed = pose(cycles[b], phase, spm, strides_hz, self._leads(bout[b]))
            if weight < 1:
                first = pose(cycles[a], phase, spm, strides_hz, self._leads(bout[a]))
                mixed = Pose(*(u * (1 - weight) + v * weight for u, v in zip(first, mixed, strict=True)))
            at_s = i / self.fine_hz
            posed = Pose(*(size * v for v in mixed))
            if self._cuts or any(s.mishaps for s in bout):
                posed = self._disturbed(posed, start_s + at_s, bout[b], at_s - borders[b])
            self._append(posed, spm)

    def _reach_near_cuts(self, at_s: float) -> float:
        """Reach of the steps near a cut, as a share of the usual one."""
        size = 1.0
        for from_s, over_s, _, slow in self._cuts:
            size -= slow * _bell((at_s - from_s) / over_s / 2 + 0.25)
        return max(0.3, size)

    def _disturbed(self, p: Pose, at_s: float, segment: Segment, into_s: float) -> Pose:
        """The pose with the lean into a cut and the motion of a push."""
        lean = 0.0
        for from_s, over_s, angle, _ in self._cuts:
            share = (at_s - from_s) / over_s
            if 0 < share < 1:
                lean += math.atan(2 * angle / over_s * abs(p.travel) / GRAVITY) * _bell(share)
        x = sway = 0.0
        for mishap in segment.mishaps:
            if isinstance(mishap, Push):
                moved = mishap.size_g * GRAVITY * PUSH_S * PUSH_S / (2 * math.pi**2) * _bell((into_s - mishap.at_s) / PUSH_S)
                x += moved * math.cos(math.radians(mishap.degrees))
                sway += self._mirror * moved * math.sin(math.radians(mishap.degrees))
        return p._replace(
            frontal=p.frontal - self._mirror * max(-MOST_LEAN_RAD, min(MOST_LEAN_RAD, lean)),
            hip_x=p.hip_x + x,
            sway=p.sway + sway,
            thigh=p.thigh - 0.3 * x,
        )

    # Motion at the sensor's place

    def channels(self) -> list[array[float]]:
        """Specific force (g) and angular velocity (degrees a second) in body axes at the sensor's place, impacts included."""
        poses, person, mirror, fine = self._poses, self._person, self._mirror, self.fine_hz
        n = len(poses)
        x, z, shank = track(poses, self._place, person, self._random, fine)
        twist = self._place.twist
        # A leg that is spread outward takes a sensor at the shank with it, and none elsewhere.
        tilted = 1.0 if self._place.name == "shank" else 0.0
        leg_m = tilted * (person.thigh_m + person.sensor_m)
        outward = array("d", [p.sway + leg_m * math.sin(p.spread) for p in poses])
        yaw = self._yaw(n)
        out = [array("d", bytes(8 * n)) for _ in range(CHANNELS)]
        second = fine * fine / GRAVITY
        first = math.degrees(1.0) * fine / 2
        for i, p in enumerate(poses):
            m = min(max(i, 1), n - 2)
            before, after = poses[m - 1], poses[m + 1]
            ax = (x[m - 1] - 2 * x[m] + x[m + 1]) * second + (after.travel - before.travel) * fine / 2 / GRAVITY
            ay = (outward[m - 1] - 2 * outward[m] + outward[m + 1]) * second + mirror * yaw[i] * p.travel / GRAVITY
            az = (z[m - 1] - 2 * z[m] + z[m + 1]) * second + 1.0
            sin, cos = math.sin(shank[i]), math.cos(shank[i])
            # In the axes of the shank, which its frontal and transverse angles turn a little.
            fx = ax * cos + az * sin
            fz = az * cos - ax * sin
            frontal = p.frontal * twist + p.spread * tilted
            fy = mirror * (ay + fz * frontal)
            spin = math.degrees(yaw[i])
            out[0][i] = fx + mirror * fy * p.transverse * twist
            out[1][i] = fy - mirror * fx * p.transverse * twist
            out[2][i] = fz
            turned = (after.frontal - before.frontal) * twist + (after.spread - before.spread) * tilted
            out[3][i] = mirror * turned * first + spin * sin
            out[4][i] = -(shank[m + 1] - shank[m - 1]) * first
            out[5][i] = mirror * (after.transverse - before.transverse) * twist * first + spin * cos
        for contact in self._contacts:
            self._add_impact(contact, out)
        return out

    def _yaw(self, n: int) -> array[float]:
        """Yaw rate of the body at each fine sample, radians a second."""
        yaw = array("d", bytes(8 * n))
        for from_s, over_s, angle in self._turns:
            length = max(1, round(over_s * self.fine_hz))
            first = round(from_s * self.fine_hz)
            for i in range(first, min(n, first + length)):
                yaw[i] += angle / over_s * (1 - math.cos(2 * math.pi * (i - first + 0.5) / length))
        return yaw

    def _add_impact(self, contact: Contact, out: list[array[float]]) -> None:
        """Add the impact of a contact: force, braking, and a short change of the angular velocity."""
        r = self._random
        style = contact.style
        peak_s = style.impact_ms / 1000 * r.uniform(0.85, 1.15) * (1.0 if contact.own else 1.3) * self._place.softer
        other = self._wear.other_foot if self._place.other is None else self._place.other
        share = self._place.own if contact.own else other
        size = style.impact_g * contact.strength * self._person.impact * self._wear.impact * share
        against = 1 if style.backward else -1
        force_axes = (against * style.brake * r.uniform(0.7, 1.3), self._mirror * r.uniform(-0.35, 0.35), 1.0)
        # Degrees a second for each g.
        jolt_axes = (r.gauss(0, 14), -against * 22.0, r.gauss(0, 30))
        first = math.ceil(contact.at_s * self.fine_hz)
        for i in range(first, min(len(out[0]), first + int(8 * peak_s * self.fine_hz))):
            u = (i / self.fine_hz - contact.at_s) / peak_s
            # u^2 exp(2 - 2u) peaks with 1 at u = 1.
            force = size * u * u * math.exp(2 - 2 * u)
            for k in range(3):
                out[k][i] += force * force_axes[k]
                out[3 + k][i] += force * jolt_axes[k]


def _bell(share: float) -> float:
    """A raised cosine: 0 at share 0, 1 at 0.5, 0 at 1 and outside."""
    return 0.5 * (1 - math.cos(2 * math.pi * share)) if 0 < share < 1 else 0.0


def _mishap_tempo(segment: Segment, at_s: float) -> float:
    """Factor on the speed of the phase: a stumble slows it and then speeds it up, a push speeds up the next step."""
    tempo = 1.0
    for mishap in segment.mishaps:
        since = at_s - mishap.at_s
        if isinstance(mishap, Stumble):
            tempo *= 1 - 0.85 * min(1.0, mishap.strength) * _bell(since / 0.24) + 0.5 * mishap.strength * _bell((since - 0.24) / 0.5)
        else:
            tempo *= 1 + 0.35 * _bell((since - 0.05) / 0.5)
    return tempo


def _mix(borders: list[float], at_s: float) -> tuple[int, int, float]:
    """Indexes of the two neighbouring segments that are mixed, and the weight of the second."""
    k = 0
    while k + 2 < len(borders) and at_s >= max((borders[k] + borders[k + 1]) / 2, borders[k + 1] - GAIT_BLEND_S):
        k += 1
    if k == 0:
        return 0, 0, 1.0
    return k - 1, k, ease((at_s - borders[k] + GAIT_BLEND_S) / (2 * GAIT_BLEND_S))
