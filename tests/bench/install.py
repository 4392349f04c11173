"""Peers and drawing tools into .venv-bench, each by itself where not all can be had: `python install.py` in that environment."""

import subprocess
import sys
import tomllib
from pathlib import Path

HOST = Path(__file__).resolve().parents[2] / "host"


def main() -> int:
    """0 even where a peer is missing: the bench says so in its tables. 1 where Retrostep itself cannot be installed."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--editable", f"{HOST}[bench]"]).returncode == 0:
        return 0
    print("Not everything of the bench can be installed here; what can be is.")
    if subprocess.run([*pip, "--editable", f"{HOST}[virtual]"]).returncode:
        return 1
    wanted = tomllib.loads((HOST / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    for requirement in wanted:
        if not requirement.startswith("retrostep") and subprocess.run([*pip, requirement], stderr=subprocess.DEVNULL).returncode:
            print(f"  not installed: {requirement}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
