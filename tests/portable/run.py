"""Run the portable tests of the named files on this interpreter: `micropython tests/portable/run.py test_a.py test_b.py`.

Prints a line a failure and a closing count; exits 1 if any failed. Needs no pytest, so the same tests run on a board's interpreter.
"""

import sys

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
ROOT = HERE + "/../.."
sys.path[0:0] = [HERE, ROOT + "/firmware/lib", ROOT + "/firmware", ROOT + "/boards/VIRTUAL/runtime/model"]


def main(files):
    """Import each file and call its test_ functions; the number that failed."""
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
