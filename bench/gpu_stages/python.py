"""A Python that has PyTorch."""
import os
import shutil
import subprocess


def find_python():
    """The first Python that imports torch; Debian's own is tried too, for it may hide behind another one on PATH."""
    for candidate in (os.environ.get("PYTHON"), "python3", "/usr/bin/python3"):
        program = candidate and shutil.which(candidate)
        if program and subprocess.run([program, "-c", "import torch"], capture_output=True).returncode == 0:
            return program
    return None


def version_of(python):
    """PyTorch's; nothing for None."""
    command = [python, "-c", "import torch; print(torch.__version__)"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() if python else ""
