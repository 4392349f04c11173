"""A chip without a program is recognised by what it sends, and a board that starts normally is not mistaken for one."""

import time

import pytest
from retrostep.device import boot_text
from retrostep.device.boot_text import SYNC, BootText, reach_prompt
from retrostep.errors import BlankChip, BootLoop, InRomLoader, NoRepl, RetrostepError
from rom_protocol import CHIPS, Loader

START = b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nload:0x3fff0030,len:4892\r\nentry 0x400805b4\r\n"
LOADER = b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n"
LOOP = b"rst:0x10 (RTCWDT_RTC_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"


@pytest.mark.parametrize("pieces", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("heard", "kind", "part"),
    [
        (3 * (LOOP + 3 * b"invalid header: 0xffffffff\r\n"), BlankChip, "is blank"),
        (3 * (LOOP + b"invalid header: 0x00000000\r\n"), BootLoop, "no valid program"),
        (b"invalid header: 0xffffffff\r\ninvalid header: 0x12345678\r\n", BootLoop, "no valid program"),
        (b"E (38) boot: No bootable app partitions in the partition table\r\n" * 2, BootLoop, "no valid program"),
        (b"flash read err, 1000\r\nets_main.c 371\r\n", BootLoop, "no valid program"),
        (3 * (b"rst:0x7 (TG0WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nload:0x1\r\n"), BootLoop, "the cause is TG0WDT_SYS_RESET"),
        (3 * (b"Brownout detector was triggered\r\nrst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13\r\n"), BootLoop, "supply is too weak"),
        (LOADER, InRomLoader, "without BOOT"),
        (Loader(CHIPS["esp32"], bytearray(4096)).feed(SYNC), InRomLoader, "waits in its ROM loader"),
    ],
)
def test_a_chip_without_a_program_is_recognised_in_any_pieces(heard: bytes, kind: type, part: str, pieces: int) -> None:
    text = BootText("/dev/ttyUSB0")
    with pytest.raises(kind, match=part) as error:
        for at in range(0, len(heard), pieces):
            text.feed(heard[at : at + pieces])
    assert error.value.facts == {"port": "/dev/ttyUSB0"} and len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "heard",
    [
        START,
        START + b"MPY: soft reboot\r\nretrostep: RS-1 on VIRTUAL, boot 3\r\n",
        b"invalid header: 0xffffffff\r\n" + START,  # a disturbed read, then a start
        LOADER + START,  # somebody has pressed reset
        b"rst:0x1 rst:0x1 rst:0x1 a log that quotes it",
        2 * START,
        bytes(range(256)) * 20,
    ],
)
def test_a_board_that_starts_is_not_mistaken_for_one_without_a_program(heard: bytes) -> None:
    text = BootText("COM3")
    for at in range(0, len(heard), 5):
        if not (heard.startswith(LOADER) and at < len(LOADER) + 20):
            text.feed(heard[at : at + 5])
    assert not text.is_silent


class Port:
    """A port whose other end answers with `answers`, one for each write."""

    path = "/dev/fake"

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.sent, self.arrived = list(answers), b"", b""

    def write(self, data: bytes) -> None:
        self.sent += data
        self.arrived += self.answers.pop(0) if self.answers else b""

    def read(self, timeout_s: float) -> bytes:
        arrived, self.arrived = self.arrived, b""
        if not arrived:
            time.sleep(0.001)
        return arrived

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_PROMPT_S", 0.15), ("_ASK_EVERY_S", 0.02), ("ASK_LOADER_AFTER_S", 0.05)):
        monkeypatch.setattr(boot_text, name, value)


def test_the_prompt_is_reached_although_the_program_catches_the_first_interrupt() -> None:
    port = Port(b"retrostep: interrupted\r\n", b"\r\n>>> \r\n>>> ")
    reach_prompt(port)
    assert port.sent.count(b"\x03") == 4


def test_a_board_that_prints_something_else_is_left_to_mpremote() -> None:
    reach_prompt(Port(b"hello"))


def test_a_silent_chip_is_asked_for_its_loader_and_may_miss_a_request() -> None:
    silent = Port()
    with pytest.raises(NoRepl, match="Nothing answers at /dev/fake"):
        reach_prompt(silent, 0.3)
    assert silent.sent.count(SYNC) == 3

    class InLoader(Port):
        def write(self, data: bytes) -> None:
            self.sent += data
            if self.sent.count(SYNC) == 3:
                self.arrived += Loader(CHIPS["esp32c3"], bytearray(4096)).feed(data)

    with pytest.raises(InRomLoader):
        reach_prompt(InLoader(), 0.3)


def test_a_boot_loop_ends_the_wait() -> None:
    with pytest.raises(RetrostepError, match="is blank"):
        reach_prompt(Port(*(50 * [LOOP + b"invalid header: 0xffffffff\r\n"])))
