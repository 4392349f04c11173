"""Evidence of foot strikes at the trunk: smooth, repeated, not repeated, across, few, slow."""

from retrostep_core.gait.step_shape import StepShape, log2_x4

PERIOD_US = 9615
STEP_SAMPLES = 26
STEP_MS = 500


def shaped(strikes, plain=300, steps=9, across=64, jolts=(0,), more=0):
    """The shape after so many steps: a sine of `plain` mg, and one of the double rate that has each of `strikes` (mg) in turn.

    The force is evenly rough, and ten times as rough in a fifth of each step, which begins at each of `jolts` in turn and `more` later too.
    """
    shape = StepShape()
    shape.period_us = PERIOD_US
    shape.vertical_2 = 64
    shape.horizontal_2 = across
    # A sine of 26 places, in 1/1000.
    sine = [0, 239, 465, 663, 823, 935, 993, 993, 935, 823, 663, 465, 239]
    sine += [-value for value in sine]
    for k in range(steps + 1):
        for i in range(STEP_SAMPLES):
            force = plain * sine[i] // 1000 + strikes[k % len(strikes)] * sine[2 * i % STEP_SAMPLES] // 1000
            shape.kept[shape.place] = force
            is_jolted = (i - jolts[k % len(jolts)]) % STEP_SAMPLES < 5 or more and (i - jolts[k % len(jolts)] - more) % STEP_SAMPLES < 5
            shape.rough[shape.place] = 800 if is_jolted else 80
            shape.place = shape.place + 1 & 511
    now_ms = (steps + 1) * STEP_MS
    for k in range(steps):
        shape.add((k + 1) * STEP_MS, (k + 2) * STEP_MS, now_ms)
    return shape


def test_a_repeated_strike_is_evidence():
    assert shaped([150]).evidence(STEP_MS) > 40
    # Left and right may differ.
    assert shaped([200, 60]).evidence(STEP_MS) > 40


def test_a_plain_oscillation_is_none():
    assert shaped([0]).evidence(STEP_MS) < -100
    assert shaped([0], jolts=(0, 9, 4, 15)).evidence(STEP_MS) < -100
    # Unless it leaves the ground.
    assert shaped([0], 1500).evidence(STEP_MS) > 20


def test_roughness_counts_where_it_comes_once_a_step_at_the_same_time():
    usual = shaped([150]).evidence(STEP_MS)
    now_and_then = shaped([150], jolts=(0, 9, 18)).evidence(STEP_MS)
    twice = shaped([150], more=13).evidence(STEP_MS)
    assert now_and_then < usual - 80
    assert twice < usual - 80
    # A running step of a smoothed recording has less of it: the lack counts once.
    assert shaped([150], 1000).evidence(STEP_MS) - shaped([150], 1000, more=13).evidence(STEP_MS) < 100
    # Three intervals are enough where a strike is clear.
    assert shaped([150], steps=3).evidence(STEP_MS) > 0 > shaped([150], steps=3, more=13).evidence(STEP_MS)


def test_what_does_not_repeat_counts_less():
    once = shaped([150, 150, -150, -150]).evidence(STEP_MS)
    assert once < shaped([150]).evidence(STEP_MS) - 20


def test_little_force_across_few_steps_and_slow_steps_count_less():
    usual = shaped([150]).evidence(STEP_MS)
    assert shaped([150], 300, 9, 8).evidence(STEP_MS) == usual - 24
    assert shaped([150], 300, 9, 2).evidence(STEP_MS) < usual - 50
    assert usual - 16 < shaped([150], 300, 9, 32).evidence(STEP_MS) < usual
    few = [shaped([150], 300, steps).evidence(STEP_MS) for steps in (2, 3, 4, 6)]
    assert few[0] < -100
    assert few[1] < few[2] < few[3] < usual
    shape = shaped([150])
    assert usual == shape.evidence(750) > shape.evidence(800) > shape.evidence(900) > shape.evidence(1200) + 60


def test_restart_forgets_and_part_keeps():
    shape = shaped([150])
    usual = shape.evidence(STEP_MS)
    shape.part()
    assert shape.evidence(STEP_MS) == usual
    # The first two steps after a break have no stride before them.
    shape.add(2000, 2500, 5000)
    shape.add(2500, 3000, 5000)
    assert shape.evidence(STEP_MS) == usual
    shape.restart()
    assert shape.evidence(STEP_MS) < -100


def test_logarithm_in_quarters():
    assert [log2_x4(value) for value in (0, 1, 2, 3, 4, 6, 8, 1 << 29)] == [0, 2, 4, 6, 8, 10, 12, 116]
    before = 0
    for value in range(1, 5000):
        assert before <= log2_x4(value) <= before + 2
        before = log2_x4(value)


def test_extreme_forces_stay_within_30_bits():
    shape = StepShape()
    shape.period_us = PERIOD_US
    for way in range(4):
        for k in range(512):
            shape.kept[k] = (2500, -2500)[k // (6, 13, 26, 3)[way] & 1]
            shape.rough[k] = 32000 if k % (6, 13, 26, 10)[way] == 0 else 0
        for k in range(20):
            shape.add(k * 200, k * 200 + 200, 4000)
            for value in shape._energy + shape._repeated + [shape._strike << 6, shape._products]:
                assert -(1 << 30) < value < 1 << 30
            assert -1000 < shape.evidence(200) < 1000
