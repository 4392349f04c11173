"""Installs the other step counters and matplotlib into .venv-bench, one by one if not all are available."""

import subprocess
import sys
import tomllib
from pathlib import Path

HOST = Path(__file__).resolve().parents[2] / "host"


def main() -> int:
    """Exit status 0 even if a step counter is missing, which the tables then show; 1 if Retrostep itself cannot be installed."""
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--editable", f"{HOST}[bench]"]).returncode == 0:
        return 0
    print("Not all step counters can be installed here; trying one by one.")
    if subprocess.run([*pip, "--editable", f"{HOST}[virtual]"]).returncode:
        return 1
    wanted = tomllib.loads((HOST / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    for requirement in wanted:
        if not requirement.startswith("retrostep") and subprocess.run([*pip, requirement], stderr=subprocess.DEVNULL).returncode:
            print(f"  not installed: {requirement}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
