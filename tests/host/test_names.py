"""Names of athletes that are spelled with joiners, which are invisible by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from retrostep.archive.store import Store
from retrostep.errors import NotFound, RetrostepError

NON_JOINER, JOINER = "\N{ZERO WIDTH NON-JOINER}", "\N{ZERO WIDTH JOINER}"
JOINED_NAMES = (
    f"\u0639\u0644\u06cc{NON_JOINER}\u0631\u0636\u0627",  # Ali-Reza, in Persian
    f"\u0936\u0930\u094d{JOINER}\u092e\u093e",  # Sharma, in Devanagari
    f"\u0d1c\u0d4b\u0d23\u0d4d{JOINER}",  # John, in Malayalam: the joiner makes the last letter
    f"Mia \N{RUNNER}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}{JOINER}\N{FEMALE SIGN}\ufe0f",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        yield opened


@pytest.mark.parametrize("name", JOINED_NAMES)
def test_a_name_keeps_the_joiners_that_its_script_needs_and_is_found_without_them(store: Store, name: str) -> None:
    without = name.replace(NON_JOINER, "").replace(JOINER, "")
    assert store.add_athlete(name) == name and store.find_athlete(without).name == name
    with pytest.raises(RetrostepError, match=f"'{name}' already"):
        store.add_athlete(without)
    with pytest.raises(NotFound, match=f"did you mean {name}"):
        store.find_athlete(without[:-1])


@pytest.mark.parametrize("joiner", [NON_JOINER, JOINER])
def test_a_joiner_without_effect_is_refused(store: Store, joiner: str) -> None:
    doubled = [name.replace(each, each + joiner) for name in JOINED_NAMES for each in (NON_JOINER, JOINER) if each in name]
    for name in (f"{joiner}Ada", f"Ada{joiner}", f"A{joiner}da", f"Ada {joiner} L", f"Ada \N{RUNNER}{joiner}", *doubled):
        with pytest.raises(RetrostepError, match=r"U\+200[CD] is not"):
            store.add_athlete(name)
