"""Tagged FIFO words become blocks of samples, whatever is lost between them."""

import struct
from array import array

from hal import fifo
from retrostep_core.gait import units

# As in hal/fifo.py.
WORD_BYTES = 7
NEXT_WORD = 0
LOST_SLOTS = 4
OTHER_WORDS = 5
UNPAIRED_WORDS = 6
IMPACT = 22
GYRO = 1
ACCEL = 2
STRAIGHT = units.parse_mount("+x+y+z")


def word(kind, slot, x, y, z):
    return bytes([kind << 3 | (slot & 3) << 1]) + struct.pack("<hhh", x, y, z)


def pair(slot, acc=(0, 0, 2048), gyr=(0, 0, 0)):
    return word(GYRO, slot, *gyr) + word(ACCEL, slot, *acc)


class Parsed:
    """Feeds bursts to the parser as the driver does and keeps every block: (slots lost before it, samples)."""

    def __init__(self, mount=STRAIGHT):
        self.state = fifo.new_state(mount)
        self.blocks = []

    def feed(self, raw):
        block = array("h", bytes(2 * 6 * 64))
        self.state[NEXT_WORD] = 0
        while True:
            n = fifo.parse(bytearray(raw), len(raw) // WORD_BYTES, block, self.state)
            if not n:
                return
            samples = [tuple(block[6 * i : 6 * i + 6]) for i in range(n)]
            self.blocks.append((self.state[LOST_SLOTS], samples))

    def samples(self):
        return [sample for _, samples in self.blocks for sample in samples]


def test_a_burst_is_one_block():
    parsed = Parsed()
    parsed.feed(b"".join([pair(i, acc=(i, 0, 0)) for i in range(10)]))
    assert len(parsed.blocks) == 1
    lost, samples = parsed.blocks[0]
    assert lost == 0
    assert [s[0] for s in samples] == [(i * units.ACC_16G) >> 15 for i in range(10)]


def test_values_equal_the_cores_formula_at_every_mount():
    raws = (-32768, -32767, -2049, -1, 0, 1, 2048, 32767)
    for text in ("+x+y+z", "+y+z+x", "-y-z+x", "-x+y-z", "+z-y+x"):
        mount = units.parse_mount(text)
        parsed = Parsed(mount)
        raw = array("h")
        for i in range(len(raws)):
            x, y, z = raws[i], raws[(i + 3) % 8], raws[(i + 5) % 8]
            parsed.feed(pair(i, acc=(x, y, z), gyr=(z, x, y)))
            for value in (x, y, z, z, x, y):
                raw.append(value)
        wanted = array("h", bytes(2 * 6 * len(raws)))
        units.to_body(raw, len(raws), mount, wanted)
        got = []
        for sample in parsed.samples():
            got.extend(sample)
        assert got == list(wanted), text


def test_mount_turns_the_sensor():
    # +y+z+x: forward is the sensor's y, left its z, up its x. At rest the sensor's x then carries 1 g (2049 x 0.488 mg).
    parsed = Parsed(units.parse_mount("+y+z+x"))
    parsed.feed(pair(0, acc=(2049, 0, 0), gyr=(0, 0, 1000)))
    assert parsed.samples() == [(0, 0, 999, 0, 700, 0)]
    parsed = Parsed(units.parse_mount("-y-z+x"))
    parsed.feed(pair(0, acc=(2049, 100, 0), gyr=(0, 0, 1000)))
    assert parsed.samples() == [(-48, 0, 999, 0, -700, 0)]


def test_the_accelerometer_may_come_first():
    parsed = Parsed()
    parsed.feed(word(ACCEL, 0, 1, 2, 3) + word(GYRO, 0, 4, 5, 6) + word(ACCEL, 1, 1, 2, 3) + word(GYRO, 1, 4, 5, 6))
    assert [len(samples) for _, samples in parsed.blocks] == [2]


def test_a_half_sample_is_completed_by_the_next_burst():
    parsed = Parsed()
    parsed.feed(pair(0) + word(GYRO, 1, 7, 8, 9))
    assert len(parsed.samples()) == 1
    parsed.feed(word(ACCEL, 1, 10, 11, 12) + pair(2))
    assert len(parsed.samples()) == 3
    assert parsed.blocks[1][0] == 0
    assert parsed.state[UNPAIRED_WORDS] == 0


def test_a_lost_word_costs_its_slot_and_nothing_else():
    words = [word(GYRO, i, 1000 * i, 0, 0) + word(ACCEL, i, 1000 * i, 0, 0) for i in range(8)]
    words[3] = word(GYRO, 3, 3000, 0, 0)
    parsed = Parsed()
    parsed.feed(b"".join(words))
    assert [(lost, len(samples)) for lost, samples in parsed.blocks] == [(0, 3), (1, 4)]
    assert parsed.state[UNPAIRED_WORDS] == 1
    # Words of different slots are never paired.
    wanted = [(units.scale(1000 * i, units.ACC_16G), units.scale(1000 * i, units.GYR_2000DPS)) for i in (0, 1, 2, 4, 5, 6, 7)]
    assert [(sample[0], sample[3]) for sample in parsed.samples()] == wanted


def test_lost_slots_are_counted():
    for lost in (1, 2, 3):
        parsed = Parsed()
        parsed.feed(pair(0) + pair(1 + lost) + pair(2 + lost))
        assert [(missing, len(samples)) for missing, samples in parsed.blocks] == [(0, 1), (lost, 2)]


def test_words_of_other_sensors_are_skipped():
    parsed = Parsed()
    parsed.feed(word(3, 0, 1, 1, 1) + word(GYRO, 0, 0, 0, 0) + word(4, 0, 2, 2, 2) + word(ACCEL, 0, 0, 0, 0) + bytes(7))
    assert len(parsed.samples()) == 1
    assert parsed.state[OTHER_WORDS] == 3


def test_an_empty_burst_has_no_samples():
    parsed = Parsed()
    parsed.feed(b"")
    assert parsed.blocks == []


def test_the_half_sample_before_a_gap_is_discarded():
    parsed = Parsed()
    parsed.feed(pair(0) + word(GYRO, 1, 1, 1, 1))
    fifo.discard_pending(parsed.state)
    parsed.feed(word(ACCEL, 1, 2, 2, 2) + pair(3))
    assert [(lost, len(samples)) for lost, samples in parsed.blocks] == [(0, 1), (0, 1)]


def test_whatever_is_lost_no_sample_is_made_of_two_slots():
    seed = 12345
    for _ in range(40):
        parsed = Parsed()
        words = []
        for i in range(60):
            for kind in (GYRO, ACCEL):
                seed = (seed * 1103515245 + 12345) % 2**31
                luck = seed >> 16 & 15
                if luck == 0:
                    continue
                if luck == 1:
                    words.append(word(9, i, 5, 5, 5))
                words.append(word(kind, i, 500 * i, 0, 0))
        at = 0
        while at < len(words):
            seed = (seed * 1103515245 + 12345) % 2**31
            size = 1 + (seed >> 16 & 31)
            parsed.feed(b"".join(words[at : at + size]))
            at += size
        before = None
        for lost, samples in parsed.blocks:
            for k, sample in enumerate(samples):
                slot = [i for i in range(60) if units.scale(500 * i, units.ACC_16G) == sample[0]][0]
                assert sample[3] == units.scale(500 * slot, units.GYR_2000DPS)
                missing = lost if k == 0 else 0
                assert before is None or (slot - before - 1 - missing) % 4 == 0, "lost slots are counted modulo 4"
                before = slot


def impact_of(rows, mount=None, state=None):
    """The impact of one block with these raw rows (gyroscope 0; accelerometer x y z)."""
    raw = bytearray()
    for slot, row in enumerate(rows):
        raw += bytes([1 << 3 | (slot & 3) << 1]) + bytes(6)
        raw += bytes([2 << 3 | (slot & 3) << 1]) + struct.pack("<hhh", *row)
    state = state or fifo.new_state(mount)
    state[NEXT_WORD] = 0
    block = array("h", bytes(12 * len(rows)))
    assert fifo.parse(raw, 2 * len(rows), block, state) == len(rows)
    return list(state[IMPACT : IMPACT + 4])


def test_the_impact_of_a_block_is_without_gravity_along_z():
    g = 2049
    assert impact_of([(0, 0, g)] * 4) == [0, 1, 0, 0], "1 g is 999 mg here"
    axial, resultant, rise, clipped = impact_of([(0, 0, g), (g, 0, 3 * g), (0, 0, 5 * g), (0, 0, -g)])
    assert abs(axial - 4000) < 4 and abs(resultant - 16000000) < 40000 and abs(rise - 2000) < 4 and not clipped
    # Free fall: no impact along the shank, and 1 g without gravity.
    axial, resultant, rise, clipped = impact_of([(0, 0, 0)] * 3)
    assert axial == 0 and abs(resultant - 1000000) < 3000 and rise == 0


def test_a_value_at_the_rail_is_flagged_and_not_in_the_next_block():
    state = fifo.new_state(None)
    assert impact_of([(0, 0, 2049), (32767, 0, 2049)], state=state)[3] == 1
    assert impact_of([(0, 0, 2049), (0, 32766, 2049)], state=state)[3] == 0
    assert impact_of([(0, -32768, 2049)], state=state)[3] == 1


def test_the_impact_follows_the_mount():
    from retrostep_core.gait.units import parse_mount

    axial, _, _, _ = impact_of([(2049, 0, 0), (6147, 0, 0)], parse_mount("+y+z+x"))
    assert abs(axial - 2000) < 4
