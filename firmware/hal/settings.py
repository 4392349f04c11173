"""settings.json: what is said of the wearer, and the limits in force."""

import json
import os
from binascii import hexlify


def read(path: str, trouble: list, needed: bool) -> dict:
    """The object in the JSON file `path`; {} and a sentence in `trouble` where it is damaged, or missing although needed."""
    try:
        with open(path) as file:
            value = json.load(file)
    except OSError:
        if needed:
            trouble.append("%s is missing: run `retrostep deploy`." % path)
        return {}
    except ValueError:
        trouble.append("%s is damaged and stands aside: run `retrostep deploy` again." % path)
        return {}
    if not isinstance(value, dict):
        trouble.append("%s is not a JSON object and stands aside: run `retrostep deploy` again." % path)
        return {}
    return value


def save_limits(limits: object, root: str = "") -> None:
    """Keep `limits` in settings.json beside what else stands there; a power cut leaves the old or the new file. OSError when full."""
    _keep("limits", hexlify(limits.pack()).decode(), root)


def save_mount(mount: str, root: str = "") -> None:
    """Keep a calibrated mount such as +y+z+x, likewise."""
    _keep("mount", mount, root)


def _keep(key: str, value: str, root: str) -> None:
    settings = read(root + "/settings.json", [], False)
    settings[key] = value
    path = root + "/settings.json"
    with open(path + ".new", "w") as file:
        json.dump(settings, file)
    os.rename(path + ".new", path)
