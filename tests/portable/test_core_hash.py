"""The core's fingerprint: the same for the same files, another for any change."""

import hashlib

from retrostep_core.core_hash import fingerprint

FILES = [("__init__.py", [b"a"]), ("gait/codes.py", [b"b", b"c"])]


def test_is_eight_bytes_of_sha256_over_names_and_contents():
    whole = hashlib.sha256(b"__init__.py\x00a\x00gait/codes.py\x00bc\x00").digest()
    assert fingerprint(hashlib.sha256, FILES) == whole[:8]


def test_does_not_depend_on_how_a_file_is_read():
    assert fingerprint(hashlib.sha256, FILES) == fingerprint(hashlib.sha256, [("__init__.py", [b"a"]), ("gait/codes.py", [b"bc"])])


def test_changes_with_any_name_or_byte():
    found = [fingerprint(hashlib.sha256, FILES)]
    for other in (
        [("__init__.py", [b"a"]), ("gait/codes.py", [b"bd"])],
        [("__init__.py", [b"ab"]), ("gait/codes.py", [b"c"])],
        [("__init__.py", [b"a"]), ("gait/code.py", [b"bc"])],
        [("__init__.py", [b"a"])],
    ):
        found.append(fingerprint(hashlib.sha256, other))
    assert len(set(found)) == len(found)


def test_wants_the_files_in_order():
    for files in ([FILES[1], FILES[0]], [FILES[0], FILES[0]]):
        try:
            fingerprint(hashlib.sha256, files)
            refused = False
        except ValueError:
            refused = True
        assert refused
