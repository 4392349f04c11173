"""Reads and writes the files on a virtual board's flash while the board is off."""

from pathlib import Path

from flash_image import BLOCK, BLOCKS, SIZE, FlashImage
from littlefs import LittleFS


def new_flash(path: Path, code: str | None = None) -> str:
    """Write a new flash image with the firmware to `path`, as `code` (firmware_files); returns the device's name."""
    image = FlashImage(path, code=code)
    image.close()
    return f"RS-{image.id.hex().upper()}"


def put_files(path: Path, files: dict[str, bytes]) -> None:
    """Write files onto the image, by their path on the device."""
    flash = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    with open(path, "r+b") as image:
        flash.context.buffer = bytearray(image.read(SIZE))
        flash.mount()
        for name, content in files.items():
            flash.makedirs(name.rpartition("/")[0] or "/", exist_ok=True)
            with flash.open(name, "wb") as file:
                file.write(content)
        image.seek(0)
        image.write(flash.context.buffer)


def log_path(number: int, ending: str = "rsl") -> str:
    """The path of a log on the device; "rsc" is the ending of a confirmed one."""
    return f"logs/{number // 8 * 8:08d}/{number:08d}.{ending}"


def put_sessions(path: Path, logs: dict[int, bytes]) -> None:
    """Write session logs onto the image, as if the board had recorded them."""
    put_files(path, {log_path(number): log for number, log in logs.items()})


def files_on(path: Path) -> dict[str, bytes]:
    """{path on the device: content} of every file on the image."""
    flash = LittleFS(block_size=BLOCK, block_count=BLOCKS, mount=False)
    flash.context.buffer = bytearray(path.read_bytes()[:SIZE])
    flash.mount()
    found = {}
    for folder, _, names in flash.walk("/"):
        for name in names:
            with flash.open(f"{folder.rstrip('/')}/{name}", "rb") as file:
                found[f"{folder.strip('/')}/{name}".lstrip("/")] = bytes(file.read())
    return found
