"""A private constant takes no memory on a board, so some numbers stand in several modules. They are the same in all of them."""

import re
from types import ModuleType

from retrostep_core.gait import direction, foot_strike, shank, shank_phases, stride
from retrostep_core.link import messages, server
from support.places import ROOT


def numbers(module: ModuleType) -> dict[str, int]:
    """The module's constants by their names without the underscore."""
    return {name.lstrip("_"): value for name, value in vars(module).items() if isinstance(value, int) and name.isupper()}


def test_the_server_has_the_numbers_of_the_link() -> None:
    of_server = numbers(server)
    assert numbers(messages).items() <= of_server.items()


def test_every_copy_of_a_number_is_as_where_it_is_defined() -> None:
    copies = 0
    for path in [*(ROOT / "firmware").rglob("*.py"), *(ROOT / "tests/portable").glob("*.py")]:
        _, *blocks = path.read_text().split("# As in ")
        for block in blocks:
            origin, *lines = block.split("\n")
            [file] = (ROOT / "firmware").rglob(re.sub(r"\.py.*", ".py", origin))
            defined = dict(re.findall(r"^_?([A-Z_0-9]+) = (?:const\()?(\w+)", file.read_text(), re.M))
            while found := re.fullmatch(r"_?([A-Z_0-9]+) = (?:const\()?(\w+)\)?.*", lines.pop(0)):
                assert defined.get(found[1], found[2]) == found[2], (path.name, origin, found[1])
                copies += found[1] in defined
    assert copies >= 60


def test_the_detector_has_one_order_of_sums_and_one_scale_of_scores() -> None:
    defined = numbers(direction) | numbers(foot_strike)
    places = ("SAMPLES", "ANGLE", "PEAK", "UNLOADED", "JERK", "STRIKE", "AXIAL", "SUMS")
    scores = ("NOT_GAIT", "REVERSING", "SETTLED", "BAD", "FAIR", "GOOD")
    checked = 0
    for module in (foot_strike, shank, shank_phases, stride):
        own = numbers(module)
        for name in places + scores:
            if name in own:
                assert own[name] == (numbers(direction).get(name, defined[name])), (module.__name__, name)
                checked += 1
    assert checked >= 20
