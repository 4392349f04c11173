"""Every rule, from rules.toml and the modules beside it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from retrostep.training.rules.rule import ABOVE, BELOW, FROM, Rule, RuleLimits
from retrostep.training.rules.rules_file import CONTENTS

QUALITY = "data_quality"
QUALITY_JUDGES = (
    "gaps, interruptions, damage, missing dates, devices that contradict each other, other firmware versions, unassigned devices, days "
    "without data"
)
QUALITY_SOURCE = "No study: what cannot be judged is unknown, never ok"


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(".")
    found: Callable[..., Any] = getattr(import_module(f"{__package__}.{module}"), function)
    return found


def _rule(name: str, row: dict[str, Any]) -> Rule:
    row = dict(row)
    exceeded = row.pop("exceeded", ABOVE)
    if exceeded not in (ABOVE, BELOW, FROM):
        raise ValueError(f"rules.toml: {name} is exceeded {exceeded!r}")
    judge, most, walking = row.pop("function"), row.pop("most", None), row.pop("walking", None)
    return Rule(
        rule=name,
        judge=_function(judge),
        most=None if most is None else _function(most),
        walking=None if walking is None else RuleLimits(walking["warn"], walking["fail"]),
        exceeded=exceeded,
        **{"warn": None, "fail": None, **row},
    )


RULES: tuple[Rule, ...] = tuple(_rule(name, row) for name, row in CONTENTS["rules"].items())
"""Every rule that judges training, in the order in which they are listed."""

FLOOR: dict[str, Any] = CONTENTS["floor"]
"""The floor of relative rules, as rules.toml has it."""

BY_NAME = {rule.rule: rule for rule in RULES}
