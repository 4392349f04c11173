"""Where an exported activity is written. Names come from devices and people: only safe characters reach a path."""

import re
import zlib
from pathlib import Path

from retrostep.archive.durable_files import file_errors, write_atomically
from retrostep.errors import FileExists
from retrostep.export.activity import Activity
from retrostep.units import local_time


def file_name(activity: Activity, kind: str) -> str:
    """`2026-11-27_0930_RS-3F2A01B4C8D9_12.fit`: local time, device and number of the session."""
    session = re.sub(r"[^A-Za-z0-9.-]+", "_", activity.session)
    return f"{local_time(activity.started_at_ms).replace(' ', '_').replace(':', '')}_{session}.{kind}"


def recording_name(data: bytes, ending: str) -> str:
    """`recording_5f3a9c01.csv`: from the log's CRC, which names neither device nor person nor date."""
    return f"recording_{zlib.crc32(data):08x}.{ending}"


def write_new(path: Path, data: bytes, overwrite: bool) -> bool:
    """Write the file; False if it has this content already.

    Only its owner can read the file. Raises FileExists for one with other content unless `overwrite`, NoAccess, DiskFull. An error leaves
    no half-written file.
    """
    with file_errors(path):
        if path.is_file() and path.read_bytes() == data:
            return False
        if path.exists() and not overwrite:
            raise FileExists(f"{path} exists and has other content.")
    write_atomically(path, data)
    return True
