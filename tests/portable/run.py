"""Run portable tests without pytest: `.venv/bin/micropython tests/portable/run.py test_a.py test_b.py`.

Prints each failure and a line of counts. Exit status 1 if a test failed. The same tests run under pytest on CPython.
"""

import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
ROOT = HERE + "/../.."
sys.path[0:0] = [HERE, ROOT + "/tests", ROOT + "/firmware/lib", ROOT + "/firmware", ROOT + "/boards/VIRTUAL/runtime/model"]


def main(files):
    """Import each file and call its test_ functions; returns the number of failed tests."""
    passed = failed = 0
    for file in files:
        module = __import__(file.rsplit("/", 1)[-1][:-3])
        for name in sorted(dir(module)):
            if not name.startswith("test_"):
                continue
            try:
                getattr(module, name)()
                passed += 1
            except Exception as error:
                failed += 1
                print("FAILED", file, name)
                sys.print_exception(error)
    print("%d passed, %d failed" % (passed, failed))
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
