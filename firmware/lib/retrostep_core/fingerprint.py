"""Which core runs: eight bytes over every source file of this package, the same on the board and on the host."""


def fingerprint(sha256_new, files) -> bytes:
    """First 8 bytes of SHA-256 over `path NUL content NUL` of each file.

    sha256_new  makes an object with update(bytes) and digest(): hashlib.sha256
    files       (path, chunks) pairs rising by path: every .py below retrostep_core, path relative to that folder with "/" between its parts
                ("gait/codes.py"); chunks iterates over the file's bytes in order. ValueError if the paths do not rise.
    """
    digest = sha256_new()
    before = ""
    for path, chunks in files:
        if path <= before:
            raise ValueError("the files of a fingerprint rise by path: %s" % path)
        before = path
        digest.update(path.encode())
        digest.update(b"\x00")
        for chunk in chunks:
            digest.update(chunk)
        digest.update(b"\x00")
    return digest.digest()[:8]
