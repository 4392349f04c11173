"""The tail that the board's store writes is the one that a host reads from the flash."""

from pathlib import Path

from hal.store import LogStore
from hypothesis import given
from hypothesis import strategies as st
from retrostep_core.log.tail import PIECES, tail_of


def pieces(root: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((root / "tail").iterdir())]


def test_a_host_finds_what_the_store_wrote(tmp_path: Path) -> None:
    data = bytes(range(256)) * 3
    store = LogStore(str(tmp_path))
    for number, lengths in ((1, (40, 116, 300, 580)), (2, (10, 200))):
        file = store.create(number)
        file.write(data[:100])
        file.flush()
        kept = 0
        for length in lengths:
            assert file.write_tail(memoryview(data)[100 : 100 + length], kept)
            kept = length
            assert tail_of(pieces(tmp_path), number, 100) == data[100 : 100 + length]
            assert tail_of(pieces(tmp_path), number, 99) == tail_of(pieces(tmp_path), number + 1, 100) == b""
        file.write(data[100 : 100 + kept])
        file.flush()
        file.close()
        assert tail_of(pieces(tmp_path), number, 100 + kept) == b""


@given(st.lists(st.binary(max_size=200), max_size=PIECES), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_noise_is_no_tail(noise: list[bytes], session: int, length: int) -> None:
    assert tail_of(noise, session, length) == b""
