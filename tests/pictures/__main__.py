"""Draw the pictures of firmware/GAIT.md and print its table: `make pictures`."""

import argparse
from pathlib import Path

from support.places import ROOT

from pictures.delays import table


def main() -> None:
    """Draw into the folder of the page, or into another one."""
    parser = argparse.ArgumentParser(prog="pictures", description=__doc__)
    default = ROOT / "firmware/pictures"
    parser.add_argument("folder", nargs="?", type=Path, default=default, metavar="FOLDER", help="default: firmware/pictures")
    folder = parser.parse_args().folder
    # Only drawing needs matplotlib.
    from pictures.draw import draw

    folder.mkdir(parents=True, exist_ok=True)
    for path in draw(folder):
        print(path)
    print(table())


if __name__ == "__main__":
    main()
