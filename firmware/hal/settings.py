"""settings.json: the wearer's side, placement, mount and limits, and how the device behaves (README.md, "Settings")."""

import json
import os
from binascii import hexlify


def read(path: str, problems: list, required: bool) -> dict:
    """The object in the JSON file `path`. If it is damaged, or required and missing: {}, and a sentence is added to `problems`."""
    cure = ": copy the firmware to the board again" if required else " and is not used: the board's own values apply"
    try:
        with open(path) as file:
            value = json.load(file)
    except OSError:
        if required:
            problems.append("%s is missing%s" % (path, cure))
        return {}
    except ValueError:
        problems.append("%s is damaged%s" % (path, cure))
        return {}
    if not isinstance(value, dict):
        problems.append("%s is not a JSON object%s" % (path, cure))
        return {}
    return value


def save_limits(limits: object, root: str = "") -> None:
    """Write `limits` to settings.json and keep its other entries. After a power cut it is the old or the new file. OSError when full."""
    _save("limits", hexlify(limits.pack()).decode(), root)


def save_mount(mount: str, root: str = "") -> None:
    """Write a calibrated mount such as "+y+z+x", like `save_limits`."""
    _save("mount", mount, root)


def _save(key: str, value: str, root: str) -> None:
    path = root + "/settings.json"
    settings = read(path, [], False)
    settings[key] = value
    with open(path + ".new", "w") as file:
        json.dump(settings, file)
    os.rename(path + ".new", path)
