"""The hash of the core: eight bytes over every source file of this package, the same on the board and on the host."""


def fingerprint(sha256, files) -> bytes:
    """The first 8 bytes of SHA-256 over `path NUL content NUL` of each file. ValueError if the paths do not rise.

    sha256  hashlib.sha256, or another function whose result has update(bytes) and digest()
    files       (path, chunks) of every .py file below retrostep_core, in rising order of path. The path is relative to that folder, with
                "/" between its parts ("log/records.py"); chunks iterates over the file's bytes
    """
    digest = sha256()
    before = ""
    for path, chunks in files:
        if path <= before:
            raise ValueError("%s is not in rising order of path" % path)
        before = path
        digest.update(path.encode())
        digest.update(b"\x00")
        for chunk in chunks:
            digest.update(chunk)
        digest.update(b"\x00")
    return digest.digest()[:8]
