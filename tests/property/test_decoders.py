"""Every decoder of bytes from outside keeps its guarantees (tests/fuzz/decoders.py) on changed valid input and on any bytes."""

import json
import random

import pytest
from fuzz.decoders import DECODERS, ENTRY_LINES, Decoder, entries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def changed(seed: bytes, chance: random.Random) -> bytes:
    """`seed` with a few ranges flipped, removed, doubled, or replaced by bytes with a meaning in some format."""
    data = bytearray(seed)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data) + 1)
        length = chance.choice([1, 1, 1, 2, 4, 8, 40])
        what = chance.randrange(5)
        if what == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[at : at + length]
        elif what == 2:
            data[at:at] = data[at : at + length]
        elif what == 3:
            data[at : at + length] = bytes([chance.choice([0, 1, 0x7F, 0x80, 0xFF])]) * length
        else:
            data[at : at + chance.randrange(3)] = chance.choice([b"\n", b'"', b"[", b"}", b"1e999", b"null", b"-1", b"\xed\xa0\x80", b"~"])
    return bytes(data)


@pytest.mark.parametrize("decoder", DECODERS, ids=[decoder.name for decoder in DECODERS])
def test_valid_input_is_accepted_and_changed_input_is_harmless(decoder: Decoder) -> None:
    for seed in decoder.seeds:
        decoder.run(seed)

    slow = decoder.runs <= 10_000

    @settings(max_examples=25 if slow else 150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.tuples(st.sampled_from(decoder.seeds), st.randoms()).map(lambda pair: changed(*pair)), st.binary(max_size=400)))
    def held(data: bytes) -> None:
        decoder.run(data[: decoder.longest])

    held()


NASTY = [None, True, -1, 0, 1 << 43, 1 << 61, 1 << 63, 10**400, 0.5, -1e9, 1e999, float("nan")]
NASTY += ["", "../x", "\ud800", "\0", "1e999", [], [[]], {}, "x" * 99_999]


def test_entries_of_any_values_are_taken_or_counted_as_damaged() -> None:
    """One journal: each field of each entry, with each value that the store or Python cannot hold."""
    lines = [{**line, field: value} for line in ENTRY_LINES for field in line for value in NASTY]
    lines += [{name: value for name, value in line.items() if name != field} for line in ENTRY_LINES for field in line]
    entries(b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, *ENTRY_LINES]))
    nested = (
        b'{"entry":"seen","at_ms":1,"device":"a1","board":' + b"[" * 900 + b"]" * 900 + b',"core_version":"","core_hash":"","boot":1}\n'
    )
    entries(nested + b"[" * 100_000 + b"\n")
