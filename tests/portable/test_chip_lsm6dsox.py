"""The sensor model against the datasheet DS12814, through I2C as a driver uses it."""

from lsm6dsox_model import FIFO_WORDS, LSM6DSOX

# In the leg's units, micro-g and 1/8 milli-degree per second.
G = 1000000
DPS = 8000

CONTINUOUS, FIFO, BYPASS = 6, 1, 0


class Leg:
    """Fixed `values`, or `recipe(us since the start)`, which returns six values."""

    def __init__(self, values=(0, 0, G, 0, 0, 0), recipe=None):
        self.values = list(values)
        self.recipe = recipe
        self.start_us = None

    def begin(self, at_us):
        if self.start_us is None:
            self.start_us = at_us

    def motion_at(self, at_us, out):
        values = self.recipe(at_us - self.start_us) if self.recipe and self.start_us is not None else self.values
        for k in range(6):
            out[k] = values[k]


class Bench:
    """The chip, with a clock that the test moves."""

    def __init__(self, oscillator_ppm=0, leg=None, **options):
        self.us = 1000
        self.leg = leg or Leg()
        self.chip = LSM6DSOX(self.leg, lambda: self.us, oscillator_ppm, **options)

    def put(self, register, *values):
        self.chip.write(bytes((register,) + values))

    def get(self, register, n=1):
        buf = bytearray(n)
        self.chip.write(bytes((register,)))
        self.chip.readinto(buf)
        return buf

    def words(self, register, n=3):
        raw = self.get(register, 2 * n)
        values = [raw[2 * k] | raw[2 * k + 1] << 8 for k in range(n)]
        return [v - 65536 if v > 32767 else v for v in values]

    def level(self):
        low, high = self.get(0x3A, 2)
        return low | (high & 3) << 8

    def flags(self):
        return self.get(0x3B)[0] & 0xF8

    def run_104_hz(self, mode=CONTINUOUS, watermark=0, acc=0x44, gyr=0x4C, batch=0x44):
        """+-16 g, +-2000 dps, both at 104 Hz, batched."""
        self.put(0x10, acc)
        self.put(0x11, gyr)
        self.put(0x07, watermark & 255, watermark >> 8)
        self.put(0x09, batch)
        self.put(0x0A, mode)

    def fifo(self, n):
        """Read n words as (sensor, slot count, x, y, z)."""
        raw = self.get(0x78, 7 * n)
        out = []
        for k in range(0, 7 * n, 7):
            values = [raw[k + 1 + j] | raw[k + 2 + j] << 8 for j in (0, 2, 4)]
            out.append((raw[k] >> 3, raw[k] >> 1 & 3) + tuple(v - 65536 if v > 32767 else v for v in values))
        return out


def test_identity_and_reset_values():
    bench = Bench()
    assert bench.get(0x0F)[0] == 0x6C
    assert bench.get(0x12)[0] == 0x04
    assert bench.get(0x18)[0] == 0xE0
    assert Bench(who_am_i=0x69).get(0x0F)[0] == 0x69


def test_a_software_reset_clears_its_bit_and_all_registers():
    bench = Bench()
    bench.run_104_hz()
    bench.us += 100000
    assert bench.level() > 0
    bench.put(0x12, 0x05)
    assert bench.get(0x12)[0] == 0x04
    assert bench.get(0x10, 2) == bytes(2)
    bench.us += 100000
    assert bench.level() == 0


def test_read_only_registers_stay():
    bench = Bench()
    for register in (0x0F, 0x1E, 0x28, 0x3A, 0x63):
        before = bench.get(register)
        bench.put(register, 0x55)
        assert bench.get(register) == before


def test_auto_increment_can_be_switched_off():
    bench = Bench()
    bench.put(0x10, 0x40, 0x4C)
    assert bench.get(0x10, 2) == b"\x40\x4c"
    bench.put(0x12, 0x00)
    assert bench.get(0x10, 2) == b"\x40\x40"


def test_embedded_banks_do_not_touch_the_chip_itself():
    bench = Bench()
    bench.put(0x01, 0x80)
    assert bench.get(0x0F)[0] == 0
    bench.put(0x10, 0xAA)
    assert bench.get(0x10)[0] == 0xAA
    bench.put(0x01, 0x00)
    assert bench.get(0x0F)[0] == 0x6C
    assert bench.get(0x10)[0] == 0


def test_a_sensor_in_power_down_measures_nothing():
    bench = Bench()
    bench.us += 1000000
    assert bench.get(0x1E)[0] == 0
    assert bench.words(0x28) == [0, 0, 0]


def test_ranges():
    """4.1: 0.061 to 0.488 mg and 4.375 to 70 mdps a step."""
    bench = Bench(leg=Leg((G, -G, G // 2, 100 * DPS, -100 * DPS, 50 * DPS)))
    for ctrl1, lsb_ug in ((0x40, 61), (0x48, 122), (0x4C, 244), (0x44, 488)):
        bench.put(0x10, ctrl1)
        bench.us += 20000
        x, y, z = bench.words(0x28)
        assert abs(x * lsb_ug - G) <= lsb_ug // 2 + 1 and y == -x and abs(2 * z - x) <= 1, ctrl1
    for ctrl2, lsb_udps in ((0x42, 4375), (0x40, 8750), (0x44, 17500), (0x48, 35000), (0x4C, 70000)):
        bench.put(0x11, ctrl2)
        bench.us += 20000
        x, y, z = bench.words(0x22)
        assert abs(x * lsb_udps - 100000000) <= lsb_udps // 2 + 1 and abs(y + x) <= 1 and abs(2 * z - x) <= 1, ctrl2


def test_old_full_scale_mode():
    """9.18 XL_FS_MODE: code 1 means 2 g."""
    bench = Bench()
    bench.put(0x17, 0x02)
    bench.put(0x10, 0x44)
    bench.us += 20000
    assert bench.words(0x28)[2] == (2 * G + 61) // 122


def test_saturation():
    bench = Bench(leg=Leg((40 * G, -40 * G, 0, 3000 * DPS, -3000 * DPS, 0)))
    bench.run_104_hz()
    bench.us += 20000
    assert bench.words(0x28) == [32767, -32768, 0]
    assert bench.words(0x22) == [32767, -32768, 0]


def test_reading_clears_the_data_ready_flags():
    """9.25."""
    bench = Bench()
    bench.put(0x10, 0x40)
    bench.put(0x11, 0x40)
    bench.us += 12000
    assert bench.get(0x1E)[0] & 3 == 3
    bench.words(0x28)
    assert bench.get(0x1E)[0] & 3 == 2
    bench.words(0x22)
    assert bench.get(0x1E)[0] & 3 == 0
    bench.us += 10000
    assert bench.get(0x1E)[0] & 3 == 3


def test_sample_rate_follows_the_oscillator():
    """9.45: 6667 Hz / 64 at 104 Hz nominal, times 1 + 0.0015 * INTERNAL_FREQ_FINE."""
    for ppm, fine in ((0, 0), (70000, 47), (-70000, 209), (30000, 20), (-1500, 255)):
        bench = Bench(ppm)
        assert bench.get(0x63)[0] == fine, ppm
        bench.run_104_hz()
        taken = 0
        for _ in range(100):
            bench.us += 600000
            taken += len(bench.fifo(bench.level()))
        expected = 2 * 60 * 6667 * (1000000 + ppm) // 64 // 1000000
        assert abs(taken - expected) <= 2, (ppm, taken, expected)


def test_every_rate():
    """9.13, 9.14."""
    for code in range(1, 11):
        bench = Bench()
        bench.run_104_hz(acc=code << 4, gyr=code << 4 | 0x0C, batch=code << 4 | code)
        every = 1 << 10 - code
        bench.us += 100 * every * 1000000 // 6667 + 100
        assert bench.level() == 200, code
    bench = Bench()
    bench.run_104_hz(acc=0xB0, gyr=0, batch=0x0B)
    bench.us += 10 * 4096 * 1000000 // 6667 + 100
    assert bench.level() == 10


def test_a_batch_rate_below_the_data_rate_skips_samples():
    bench = Bench()
    bench.run_104_hz(acc=0x54, gyr=0x4C, batch=0x24)
    bench.us += 1000000
    words = bench.fifo(bench.level())
    assert sum(w[0] == 2 for w in words) == 104
    assert sum(w[0] == 1 for w in words) == 26


def test_words_carry_sensor_slot_and_even_parity():
    """9.52, 9.53."""
    bench = Bench(leg=Leg((G, 2 * G, 3 * G, DPS * 70, DPS * 140, DPS * 210)))
    bench.run_104_hz()
    bench.us += 100000
    raw = bench.get(0x78, 7 * 20)
    for k in range(20):
        assert sum(raw[7 * k] >> bit & 1 for bit in range(8)) % 2 == 0
    bench.us += 100000
    slots = None
    for k, (sensor, slot, x, y, z) in enumerate(bench.fifo(20)):
        assert sensor == 1 + k % 2
        slots = slot if slots is None else slots
        assert slot == (slots + k // 2) & 3
        assert (x, y, z) == ((1000, 2000, 3000) if sensor == 1 else (2049, 4098, 6148))


def test_a_burst_and_single_bytes_read_the_same():
    benches = [Bench(leg=Leg(recipe=lambda us: [us * k for k in range(1, 7)])) for _ in range(3)]
    for bench in benches:
        bench.run_104_hz()
        bench.us += 50000
    burst = benches[0].get(0x78, 70)
    assert benches[1].level() == 10
    single = b"".join(bytes(benches[1].get(0x78 + k % 7)) for k in range(70))
    pieces = b"".join(bytes(benches[2].get(0x78, 1)) + bytes(benches[2].get(0x79, 6)) for _ in range(10))
    assert bytes(burst) == single == pieces
    assert [bench.level() for bench in benches] == [0, 0, 0]


def test_a_burst_wraps_around_and_reads_zeros_beyond_the_end():
    bench = Bench()
    bench.run_104_hz()
    bench.us += 20000
    n = bench.level()
    raw = bench.get(0x78, 7 * n + 14)
    assert raw[7 * n :] == bytes(14)
    assert raw[0] >> 3 == 1
    assert bench.level() == 0


def test_watermark():
    bench = Bench()
    bench.run_104_hz(watermark=24)
    bench.us += 100000
    assert bench.level() == 20 and bench.flags() == 0
    bench.us += 20000
    assert bench.level() == 24 and bench.flags() == 0x80
    bench.fifo(2)
    assert bench.flags() == 0


def test_watermark_above_255():
    bench = Bench()
    bench.run_104_hz(watermark=300)
    bench.us += 1430000
    assert bench.level() < 300 and bench.flags() == 0
    bench.us += 20000
    assert bench.level() >= 300 and bench.flags() == 0x80


def test_overrun_keeps_the_newest_and_is_latched_until_read():
    bench = Bench(leg=Leg(recipe=lambda us: [us // 1000 * 488, 0, 0, 0, 0, 0]))
    bench.run_104_hz()
    bench.us += 2450000
    assert bench.flags() & 0x48 == 0
    bench.us += 8000
    assert bench.flags() & 0x20, "full at the next slot"
    bench.us += 2000000
    assert bench.level() == FIFO_WORDS == 512
    assert bench.flags() & 0x48 == 0x40, "level() has cleared the latch"
    oldest = bench.fifo(2)[1]
    assert 1990 <= oldest[2] <= 2020
    assert bench.flags() & 0x48 == 0
    bench.us += 20000
    assert bench.flags() & 0x48 == 0x48
    assert bench.flags() & 0x48 == 0x40


def test_fifo_mode_stops_when_full():
    bench = Bench(leg=Leg(recipe=lambda us: [us // 1000 * 488, 0, 0, 0, 0, 0]))
    bench.run_104_hz(mode=FIFO)
    bench.us += 10000000
    assert bench.level() == 512
    words = bench.fifo(512)
    assert words[1][2] == 0 and words[511][2] < 2470


def test_stop_on_watermark_limits_the_depth():
    """9.6 STOP_ON_WTM."""
    bench = Bench()
    bench.run_104_hz(mode=FIFO)
    bench.put(0x07, 40, 0x80)
    bench.us += 1000000
    assert bench.level() == 40 and bench.flags() & 0xC0 == 0xC0


def test_bypass_mode_empties_the_fifo():
    bench = Bench()
    bench.run_104_hz()
    bench.us += 500000
    bench.put(0x0A, BYPASS)
    assert bench.level() == 0
    bench.us += 500000
    assert bench.level() == 0
    bench.put(0x0A, CONTINUOUS)
    bench.us += 100000
    assert 18 <= bench.level() <= 22


def test_after_hours_without_reading_the_fifo_is_full():
    bench = Bench()
    bench.run_104_hz()
    bench.us += 3 * 3600 * 1000000
    assert bench.level() == 512
    slots = [w[1] for w in bench.fifo(512)[::2]]
    assert all((b - a) & 3 == 1 for a, b in zip(slots, slots[1:]))


def test_the_leg_starts_with_the_first_batched_sample():
    times = []

    def recipe(us):
        times.append(us)
        return [0] * 6

    bench = Bench(leg=Leg(recipe=recipe))
    bench.put(0x10, 0x40)
    bench.us += 300000
    bench.words(0x28)
    assert bench.leg.start_us is None
    bench.run_104_hz()
    bench.us += 100000
    assert bench.level() == 20
    assert times[0] == 0 and 9590 <= times[1] <= 9610


def test_time_stamp():
    """9.35: 25 us a step by the chip's own clock, only when enabled; 0xAA resets it."""
    bench = Bench(oscillator_ppm=50000)
    stamp = lambda: bench.words(0x40, 1)[0] & 0xFFFF  # noqa: E731
    bench.us += 100000
    assert stamp() == 0
    bench.put(0x19, 0x20)
    bench.put(0x42, 0xAA)
    bench.us += 1000000
    assert stamp() == 42000
    bench.us += 2000000
    assert int.from_bytes(bytes(bench.get(0x40, 4)), "little") == 126000


def test_time_stamps_in_the_fifo():
    """9.8 DEC_TS_BATCH: every 8th slot."""
    bench = Bench()
    bench.put(0x19, 0x20)
    bench.run_104_hz(mode=0x80 | CONTINUOUS)
    bench.us += 500000
    raw = bench.get(0x78, 7 * bench.level())
    stamps = [int.from_bytes(bytes(raw[k + 1 : k + 5]), "little") for k in range(0, len(raw), 7) if raw[k] >> 3 == 4]
    assert len(stamps) == 6
    assert all(abs(b - a - 8 * 384) <= 1 for a, b in zip(stamps, stamps[1:]))


def test_the_fifo_and_the_output_registers_agree():
    bench = Bench(leg=Leg(recipe=lambda us: [us * 3, -us, G, us * 5, us, -us]))
    bench.run_104_hz()
    for _ in range(50):
        bench.us += 9600
        while bench.level() >= 2:
            gyr, acc = bench.fifo(2)
        assert list(gyr[2:]) == bench.words(0x22)
        assert list(acc[2:]) == bench.words(0x28)
