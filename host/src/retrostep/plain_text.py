"""The one place that makes text from outside (a device, a log, a file, a person) harmless for a terminal."""

import unicodedata

_NOT_VISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}

JOINERS = "\u200c\u200d"
"""ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER: names in Persian and in scripts of India, and joined emoji, are spelled with them."""

_NON_JOINER = JOINERS[0]
_VIRAMA = 9
"""The combining class of the signs that join two consonants (Unicode Standard, 4.3)."""

_CURSIVE = ("ARABIC ", "SYRIAC ", "MANDAIC ", "NKO ", "MONGOLIAN ", "ADLAM ", "HANIFI ROHINGYA ")
"""How Unicode names the letters of scripts whose letters join."""

_OF_EMOJI = "\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""What may follow an emoji as a part of it: the choice of its coloured form, and the colours of skin."""


def clean(text: str) -> str:
    """`text` as one printable line. Controls, escapes and bidi overrides become their code (`<U+001B>`), any space a plain one.

    A joiner stays where Unicode has it: a non-joiner between letters that join, any after the sign that joins consonants (both as in
    RFC 5892, appendix A), a joiner between two emoji. Elsewhere it is invisible, and becomes its code.
    """
    if text.isprintable():
        return text
    return "".join(char if char in JOINERS and _joins(text, place) else _visible(char) for place, char in enumerate(text))


def quoted(text: str) -> str:
    """`text` in quotes, for a sentence; as `repr`, but with the joiners that `clean` keeps."""
    return repr(text) if any(char in text for char in "\\'\"") or clean(text) != text else f"'{text}'"


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return f"<U+{ord(char):04X}>" if unicodedata.category(char) in _NOT_VISIBLE else " "


def _joins(text: str, place: int) -> bool:
    """Whether the joiner at `place` has an effect on what is beside it."""
    before, after = text[:place], text[place + 1 : place + 2]
    if before and unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    if not after:
        return False
    if text[place] == _NON_JOINER:
        base = next((char for char in reversed(before) if unicodedata.category(char) != "Mn"), "")
        return _is_cursive(base) and _is_cursive(after)
    return _is_emoji(before.rstrip(_OF_EMOJI)[-1:]) and _is_emoji(after)


def _is_cursive(char: str) -> bool:
    return bool(char) and char.isalpha() and unicodedata.name(char, "").startswith(_CURSIVE)


def _is_emoji(char: str) -> bool:
    return bool(char) and unicodedata.category(char) == "So"
