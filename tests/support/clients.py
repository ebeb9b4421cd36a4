"""Published clients that cannot live beside the tools of this repository: a venv of their own for each, made once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.collector_process import ROOT

FOLDER = ROOT / ".venv" / "clients"


def client_python(requirement: str, beside: Path) -> Path:
    """The Python of a venv with this requirement (``name==version``), and with those that a file lists.

    The venv is kept between runs, and made anew when the requirements change. Raises AssertionError with pip's last lines
    when the installation fails.
    """
    wanted = f"{requirement}\n{beside.read_text(encoding='utf-8')}"
    folder = FOLDER / requirement.replace("==", "-")
    made, python = folder / "requirements.txt", folder / "bin" / "python"
    if not made.exists() or made.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=120)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement, "-r", beside]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, f"{requirement} cannot be installed:\n{done.stderr[-2000:]}"
        made.write_text(wanted, encoding="utf-8")
    return python


def readme_example(path: str) -> str:
    """The program that a README shows."""
    text = (ROOT / path).read_text(encoding="utf-8")
    (program,) = [block.partition("\n```")[0] for block in text.split("```python\n")[1:]]
    return program
