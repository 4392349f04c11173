"""Motion that is not gait: cycling, rowing, machines, jumps and rides, with a worn or carried sensor.

No exercise has a step. Its geometry depends on the person and the seed: saddle height, length of cranks and tracks, tempo.
The shank follows from the place of hip and ankle (two-link inverse kinematics) where a machine guides the foot, and from joint angles
elsewhere. For a sensor at the waist the trunk leans and moves with the hip. The figures are typical; they have no single source.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from synthetic.course import FOREFOOT_LANDING, HEEL_IMPACT, METAL_IMPACT, Course, ease
from synthetic.leg import GRAVITY

TURN = 2 * math.pi


@dataclass(frozen=True)
class Exercise:
    """A motion without steps, and its parameters."""

    name: str
    fill: Callable[..., None]
    values: tuple[tuple[str, object], ...] = ()

    def on(self, course: Course) -> None:
        """Write the motion into the course."""
        self.fill(course, **dict(self.values))


def cycling(c: Course, rpm: float, backward: bool, road_g: float, standing: bool, recumbent: bool, pauses: bool) -> None:
    """Ankle on the pedal's circle, hip on the saddle. Road vibration at hip and pedal; out of the saddle the hip sways and bobs.

    With `pauses` the pedals stop for 0.5 to 4 s, every 2 to 10 s.
    """
    r, p = c.random, c.person
    crank = r.uniform(0.165, 0.178)
    # From the hip to the middle of the ankle's circle, such that the knee is still bent by 25 to 50 degrees at the far end.
    saddle = (p.thigh_m + p.shank_m) * r.uniform(0.91, 0.975) - crank
    slope = math.radians(r.uniform(55, 70) if recumbent else r.uniform(-2, 17))
    ahead, up = saddle * math.sin(slope), saddle * math.cos(slope)
    ankling, when = math.radians(r.uniform(2, 15)), r.uniform(-0.2, 0.4)
    foot = r.uniform(0.05, 0.15)
    unround, lean = r.uniform(0.01, 0.05), math.radians(-25 if recumbent else r.uniform(10, 45))
    hip_x, hip_z, sway = c.columns["hip_x"], c.columns["hip_z"], c.columns["sway"]
    phases = c.phases(rpm, 0.015, backward)
    if pauses:
        c.pause(phases)
    for i, phase in enumerate(phases):
        turn = TURN * phase + unround * math.sin(2 * TURN * phase)
        tilt = ankling * math.sin(turn + TURN * when)
        pedal_x, pedal_z = crank * math.sin(turn), crank * math.cos(turn)
        bob = (0.0, 0.002 * math.sin(2 * turn), 0.006 * math.sin(turn))
        if standing:
            bob = (0.02 * math.sin(2 * turn), 0.03 * math.sin(2 * turn + 1), 0.05 * math.sin(turn))
        ankle_x = ahead + pedal_x + foot * (1 - math.cos(tilt))
        ankle_z = -up + pedal_z + foot * math.sin(tilt)
        c.reach(i, ankle_x - bob[0], ankle_z - bob[1])
        hip_x[i], hip_z[i], sway[i] = bob
        c.columns["lean"][i] = lean + math.radians(1.5) * math.sin(2 * turn)
        c.columns["frontal"][i] = math.radians(6 if standing else 2) * math.sin(turn + 0.4)
        c.columns["transverse"][i] = math.radians(3) * math.sin(turn + 2)
    c.shake("hip_z", 4, 24, road_g)
    c.shake("hip_x", 4, 24, road_g / 2)
    c.shake("sway", 3, 20, road_g / 3)
    if road_g:
        at = r.uniform(2, 8)
        while at < c.seconds:
            c.impact(at, r.uniform(0.3, 1.2), METAL_IMPACT)
            at += r.uniform(2, 15)


def elliptical(c: Course, rpm: float, backward: bool) -> None:
    """Ankle on a flat ellipse, both feet always on their pedals; `rpm` in strides."""
    r, p = c.random, c.person
    wide, high = r.uniform(0.18, 0.27), r.uniform(0.05, 0.11)
    tall = (p.thigh_m + p.shank_m) * r.uniform(0.93, 0.97)
    tilt, bounce = math.radians(r.uniform(0, 14)), r.uniform(0.005, 0.018)
    rolled = math.radians(r.uniform(4, 9))
    for i, phase in enumerate(c.phases(rpm, 0.012, backward)):
        turn = TURN * phase
        x, z = wide * math.sin(turn), high * math.cos(turn)
        x, z = x * math.cos(tilt) - z * math.sin(tilt), x * math.sin(tilt) + z * math.cos(tilt)
        up = bounce * math.cos(2 * turn)
        c.reach(i, x + 0.04, -tall + high + z - up)
        c.columns["hip_z"][i] = up
        c.columns["hip_x"][i] = 0.01 * math.sin(2 * turn + 1)
        c.columns["sway"][i] = 0.02 * math.sin(turn + 0.5)
        c.columns["lean"][i] = math.radians(6) + math.radians(2) * math.sin(2 * turn)
        c.columns["frontal"][i] = 0.4 * rolled * math.sin(turn)
        c.columns["transverse"][i] = rolled * math.sin(turn + 1)
    c.shake("hip_z", 8, 25, r.uniform(0, 0.02))


def rowing(c: Course, per_min: float) -> None:
    """Feet on the stretcher, hip on the slide, trunk swinging; the drive is quicker than the recovery."""
    r, p = c.random, c.person
    longest = p.thigh_m + p.shank_m
    near, far = longest * r.uniform(0.40, 0.5), longest * r.uniform(0.95, 0.985)
    drop = r.uniform(0.02, 0.12)
    drive = min(0.5, r.uniform(0.32, 0.4) + per_min / 400)
    swing = math.radians(r.uniform(18, 30))
    for i, phase in enumerate(c.phases(per_min, 0.02)):
        part = phase % 1
        out = ease(part / drive) if part < drive else 1 - ease((part - drive) / (1 - drive))
        back = ease((part - 0.3 * drive) / drive) if part < 1.3 * drive else 1 - ease((part - 1.3 * drive) / (1 - 1.3 * drive))
        slide = near + (far - near) * out
        c.reach(i, slide, -drop)
        c.columns["hip_x"][i] = -slide
        c.columns["lean"][i] = swing * (1 - 2 * back)
        c.columns["frontal"][i] = math.radians(3) * math.sin(TURN * phase)
        if part < 1.5 * per_min / 60 / c.fine_hz and r.random() < 0.3:
            c.impact(i / c.fine_hz, r.uniform(0.05, 0.3), METAL_IMPACT)
    c.shake("hip_x", 5, 25, r.uniform(0.005, 0.03))
    c.shake("hip_z", 5, 25, r.uniform(0.005, 0.02))


def leg_machine(c: Course, per_min: float, curl: bool, posture: str) -> None:
    """The knee bends or stretches against a weight: quick up, slower down, a short hold, and sometimes an impact of the stack."""
    r = c.random
    thigh = {"prone": -90.0, "seated": 84.0, "standing": 0.0}[posture] + r.uniform(-6, 6)
    if curl:
        rest, most = (r.uniform(0, 15), r.uniform(85, 120)) if posture != "seated" else (r.uniform(0, 20), r.uniform(90, 105))
    else:
        rest, most = r.uniform(85, 100), r.uniform(2, 25)
    lift, hold = r.uniform(0.28, 0.42), r.uniform(0.02, 0.14)
    rolled = r.uniform(-4, 4)
    lean = {"prone": 90.0, "seated": -12.0, "standing": 8.0}[posture]
    for i, phase in enumerate(c.phases(per_min, 0.05)):
        part = phase % 1
        share = ease(part / lift) if part < lift else 1 - ease((part - lift - hold) / (0.97 - lift - hold))
        c.columns["knee"][i] = math.radians(rest + (most - rest) * share)
        c.columns["thigh"][i] = math.radians(thigh + (4 if posture == "standing" else 1.5) * share)
        c.columns["frontal"][i] = math.radians(rolled) * share
        c.columns["transverse"][i] = math.radians(2 * rolled) * share
        c.columns["lean"][i] = math.radians(lean + 2 * share)
        if part < per_min / 60 / c.fine_hz and r.random() < 0.5:
            c.impact(i / c.fine_hz, r.uniform(0.05, 0.5), METAL_IMPACT)
    c.shake("knee", 4, 11, r.uniform(0, 6))


def riding(c: Course, rms_g: float, rms_dps: float, low_hz: float, high_hz: float, seated: bool) -> None:
    """In a vehicle: shaken in all axes within a band, with wheels and engine above it, braking, bends and kerbs."""
    r = c.random
    bend = math.radians(r.uniform(70, 95)) if seated else math.radians(r.uniform(4, 12))
    slide = math.radians(r.uniform(-18, 25)) if seated else 0.0
    for i in range(c.count):
        c.columns["thigh"][i] = bend + (0 if seated else -bend / 2)
        c.columns["knee"][i] = bend - slide
    c.shake("hip_z", low_hz, high_hz, rms_g)
    c.shake("hip_x", low_hz * 0.7, high_hz, 0.5 * rms_g)
    c.shake("sway", low_hz * 0.6, high_hz, 0.6 * rms_g)
    c.shake("knee", low_hz, max(high_hz, low_hz * 1.3), rms_dps)
    c.shake("frontal", 0.5 * low_hz, high_hz * 0.6, rms_dps)
    c.shake("transverse", 0.4 * low_hz, high_hz * 0.5, 0.5 * rms_dps)
    c.shake("lean", low_hz, high_hz, 0.3 * rms_dps)
    c.shake("hip_z", 10, 32, 0.25 * rms_g)
    c.shake("hip_x", 10, 32, 0.2 * rms_g)
    at = r.uniform(1, 6)
    while at < c.seconds - 4:
        if r.random() < 0.5:
            c.impact(at, rms_g * r.uniform(1, 4), HEEL_IMPACT)
        else:
            # Braking or a bend: 0.05 to 0.25 g for seconds. The bump is a place; its middle has the largest acceleration.
            width = r.uniform(2, 4)
            c.bump("hip_x" if r.random() < 0.6 else "sway", at, width, r.uniform(0.05, 0.25) * GRAVITY * width * width / (2 * math.pi**2))
        at += r.uniform(2, 9)


def heel_drumming(c: Course, per_min: float, toes: bool) -> None:
    """Seated, a foot beats time: the heel (ball of the foot stays down), or the toes (heel stays down).

    A nervous heel bounces by millimetres; a slow one is drawn back and dropped, and the shank turns by ten degrees and more.
    """
    r = c.random
    bend, slide = math.radians(r.uniform(75, 90)), math.radians(r.uniform(-15, 20))
    slow = min(1.0, 200 / per_min) ** 2
    lift = math.radians(r.uniform(0.3, 1.0) if toes else r.uniform(2.0, 6.0) * slow)
    drawn = 0.0 if toes else math.radians(r.uniform(2, 20) * slow)
    hit = r.uniform(0.03, 0.15) if toes else r.uniform(0.2, 1.2)
    before, pause_ends, resting = 1.0, 0.0, False
    for i, phase in enumerate(c.phases(per_min, 0.04)):
        part = phase % 1
        if part < before:
            # A pause begins and ends with the foot down.
            if r.random() < 0.04:
                pause_ends = i / c.fine_hz + r.uniform(0.5, 2.5)
            resting = i / c.fine_hz < pause_ends
        up = 0.0 if resting else math.sin(math.pi * part) ** 2
        c.columns["thigh"][i] = bend + lift * up
        c.columns["knee"][i] = bend - slide + lift * up * 0.4 + drawn * up
        c.columns["frontal"][i] = math.radians(0.6) * up
        c.columns["lean"][i] = math.radians(-8)
        if part < before and not resting:
            c.impact(i / c.fine_hz, hit * r.uniform(0.5, 1.5), HEEL_IMPACT)
        before = part


def jumping(c: Course, per_min: float, jacks: bool) -> None:
    """Both feet leave the ground and land together: free fall in flight, a half sine of force on the ground. Rope, or jumping jacks."""
    r, p = c.random, c.person
    period = 60 / per_min
    flight = min(0.34, period * r.uniform(0.34, 0.5))
    hit, tuck = r.uniform(0.6, 2.5), r.uniform(0.005, 0.03)
    longest = (p.thigh_m + p.shank_m) * r.uniform(0.975, 0.99)
    spread = math.radians(r.uniform(14, 22)) if jacks else math.radians(1.5)
    before = 1.0
    for i, phase in enumerate(c.phases(per_min, 0.02)):
        part = phase % 1
        at = part * period
        if at < period - flight:
            ground = period - flight
            z = -(GRAVITY * flight / 2) * (ground / math.pi) * math.sin(math.pi * at / ground)
            short = 0.55 * flight / 2 * GRAVITY * ground / math.pi * math.sin(math.pi * at / ground) ** 2
        else:
            t = at - (period - flight)
            z = GRAVITY / 2 * t * (flight - t)
            short = tuck * math.sin(math.pi * t / flight) ** 2
        c.columns["hip_z"][i] = z
        c.reach(i, 0.02, -(longest - short))
        c.columns["lean"][i] = math.radians(4) + math.radians(2) * math.cos(TURN * phase)
        c.columns["frontal"][i] = spread * (0.5 - 0.5 * math.cos(math.pi * phase)) if jacks else spread * math.sin(TURN * phase)
        if part < before:
            size = hit * r.uniform(0.8, 1.2)
            c.impact(i / c.fine_hz, size, FOREFOOT_LANDING)
            c.impact(i / c.fine_hz + r.gauss(0, 0.006), size, FOREFOOT_LANDING, own=False)
        before = part


def squatting(c: Course, per_min: float) -> None:
    """Down and up with the feet in place; the knees travel forward and the trunk leans."""
    r, p = c.random, c.person
    deep = r.uniform(0.25, 0.45)
    down = r.uniform(0.35, 0.5)
    lean = math.radians(r.uniform(20, 45))
    tall = (p.thigh_m + p.shank_m) * 0.985
    back = r.uniform(0.5, 0.8)
    for i, phase in enumerate(c.phases(per_min, 0.06)):
        part = phase % 1
        share = ease(part / down) if part < down else 1 - ease((part - down) / (0.92 - down))
        c.reach(i, back * deep * share * 0.5, -(tall - deep * share))
        c.columns["hip_x"][i] = -back * deep * share * 0.5
        c.columns["hip_z"][i] = -deep * share
        c.columns["lean"][i] = lean * share
        c.columns["frontal"][i] = math.radians(4) * share
    c.shake("frontal", 0.5, 3, 3)


def leg_swinging(c: Course, per_min: float, seated: bool) -> None:
    """A leg swings freely: the shank from a high seat, or the whole leg beside the other one as a warm-up."""
    r = c.random
    wide = math.radians(r.uniform(12, 35)) if seated else math.radians(r.uniform(20, 45))
    middle = math.radians(r.uniform(-5, 15))
    fade = r.uniform(0.05, 0.3)
    sideways = r.uniform(-0.25, 0.25)
    for i, phase in enumerate(c.phases(per_min, 0.03)):
        turn = TURN * phase
        size = wide * (1 - fade + fade * math.sin(0.37 * i / c.fine_hz))
        swung = size * (math.sin(turn) + 0.08 * math.sin(2 * turn + 0.7))
        if seated:
            c.columns["thigh"][i] = math.radians(84)
            c.columns["knee"][i] = math.radians(84) - middle - swung
        else:
            c.columns["thigh"][i] = middle + swung
            c.columns["knee"][i] = math.radians(12) + math.radians(9) * math.sin(turn - 1.2)
            c.columns["lean"][i] = -0.15 * swung
            c.columns["hip_z"][i] = 0.01 * math.cos(2 * turn)
        c.columns["frontal"][i] = sideways * swung


def wheelchair(c: Course, per_min: float, floor_g: float) -> None:
    """Pushing the rims of a wheelchair: feet on the rest, the chair surges with each push and rattles over the floor."""
    r = c.random
    bend, slide = math.radians(r.uniform(80, 95)), math.radians(r.uniform(5, 35))
    surge = r.uniform(0.08, 0.28) * GRAVITY / (TURN * per_min / 60) ** 2
    nod, lean = math.radians(r.uniform(0.3, 1.5)), math.radians(r.uniform(4, 14))
    for i, phase in enumerate(c.phases(per_min, 0.04)):
        push = math.sin(TURN * phase) + 0.3 * math.sin(2 * TURN * phase)
        c.columns["thigh"][i] = bend + nod * push
        c.columns["knee"][i] = bend - slide
        c.columns["hip_x"][i] = surge * push
        c.columns["lean"][i] = lean * (1 + math.sin(TURN * phase + 0.8))
        c.columns["frontal"][i] = math.radians(0.4) * math.sin(TURN * phase)
    c.shake("hip_z", 5, 30, floor_g)
    c.shake("hip_x", 5, 30, floor_g / 2)
    c.shake("knee", 5, 12, 20 * floor_g)
    at = r.uniform(1, 4)
    while at < c.seconds:
        c.impact(at, r.uniform(0.1, 0.8), METAL_IMPACT)
        at += r.uniform(1, 8)


def fidgeting(c: Course) -> None:
    """Standing restlessly: weight goes from leg to leg, the body turns and bends, heels lift and drop, the foot taps."""
    r = c.random
    at = r.uniform(0.6, 1.5)
    while at < c.seconds - 2:
        what = r.choice(("shift", "bend", "raise", "tap", "turn", "kick"))
        width = r.uniform(0.5, 1.4)
        if what == "tap":
            for _ in range(r.randint(3, 12)):
                width = r.uniform(0.25, 0.5)
                c.bump("thigh", at, width, math.radians(0.8))
                c.impact(at + width, r.uniform(0.03, 0.15))
                at += width
        elif what == "raise":
            for _ in range(r.randint(1, 8)):
                c.bump("hip_z", at, width, r.uniform(0.03, 0.07))
                c.bump("knee", at, width, math.radians(-2))
                c.impact(at + width * 0.95, r.uniform(0.1, 0.8))
                at += width * r.uniform(1, 1.3)
        elif what == "kick":
            c.bump("thigh", at, width, math.radians(r.uniform(5, 30)))
            c.bump("knee", at, width * 0.9, math.radians(r.uniform(5, 50)))
            c.impact(at + width * 0.95, r.uniform(0.05, 0.4))
        elif what == "bend":
            c.bump("lean", at, 2 * width, math.radians(r.uniform(10, 60)))
            c.bump("thigh", at, 2 * width, math.radians(r.uniform(0, 10)))
        else:
            c.bump("transverse" if what == "turn" else "frontal", at, 2 * width, math.radians(r.uniform(-8, 8)))
            c.bump("sway", at, 2 * width, r.uniform(-0.06, 0.06))
            c.bump("thigh", at, width, math.radians(r.uniform(1, 8)))
            c.bump("knee", at, width, math.radians(r.uniform(2, 16)))
        at += width + r.uniform(0.3, 3.0)
