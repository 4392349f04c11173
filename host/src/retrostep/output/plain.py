"""Text from a device, a log, a file or a person, made harmless for a terminal. Nothing is imported for it that a short command need not."""

import unicodedata

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """`text` on one line, with what steers a terminal or hides text (controls, escapes, bidi overrides) written as its code."""
    return "".join(f"<U+{ord(char):04X}>" if unicodedata.category(char) in _INVISIBLE else char for char in text)
