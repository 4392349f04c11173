"""rules.toml, read once."""

import tomllib
from importlib import resources
from typing import Any

CONTENTS: dict[str, Any] = tomllib.loads(resources.files(__package__).joinpath("rules.toml").read_text("utf-8"))
"""`floor` and `rules`, as the head of the file describes them."""
