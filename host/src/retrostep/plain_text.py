"""The one place that makes text from outside (a device, a log, a file, a person) harmless for a terminal."""

import unicodedata

_NOT_VISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """`text` as one printable line. Controls, escapes and bidi overrides become their code (`<U+001B>`), any space a plain one."""
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return f"<U+{ord(char):04X}>" if unicodedata.category(char) in _NOT_VISIBLE else " "
