"""What this machine is: its GPU, its tools, and the commit that is here."""
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def answer(command, limit=30):
    """What a command prints, or nothing if it is not there or fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=limit, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def device():
    """cuda, or what RETORT_ON_GPU_DEVICE says for a trial without a GPU."""
    return os.environ.get("RETORT_ON_GPU_DEVICE", "cuda")


def gpu():
    """The first GPU by nvidia-smi, or None."""
    line = answer(["nvidia-smi", "--query-gpu=name,driver_version,compute_cap,memory.total", "--format=csv,noheader"])
    fields = [field.strip() for field in line.splitlines()[0].split(",")] if line else []
    if len(fields) == 4:
        return dict(zip(("name", "driver", "capability", "memory"), fields))
    if pathlib.Path("/dev/nvidia0").exists():
        return {"name": "a GPU (nvidia-smi does not say which)", "driver": "?", "capability": "?", "memory": "?"}
    return None


def commit():
    revision = answer(["git", "describe", "--always", "--dirty", "--abbrev=12"])
    file = ROOT / "REVISION"
    return revision or (file.read_text().strip() if file.exists() else "unknown")


def tool(name):
    """A program of the CUDA toolkit, on PATH or where the toolkit usually is."""
    places = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    folders = [f"{place}/{folder}" for place in places if place for folder in ("bin", name)]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


def versions(build):
    """nvcc's and what CMake found, with where it lies."""
    found = {}
    nvcc = tool("nvcc")
    release = re.search(r"V(\d[\d.]*)", answer([nvcc, "--version"])) if nvcc else None
    found["nvcc"] = f"{release[1]} ({nvcc})" if release else "not found"
    cache = build / "CMakeCache.txt"
    entries = dict(re.findall(r"^(\w+):\w+=(.*)$", cache.read_text(), re.M)) if cache.exists() else {}
    for name, entry in (("cuDNN", "RETORT_cudnn_LIBRARY"), ("cuBLASLt", "RETORT_cublasLt_LIBRARY"), ("oneDNN", "dnnl_DIR")):
        path = entries.get(entry, "")
        found[name] = path if path and not path.endswith("NOTFOUND") else "not found"
    for name, command in (("cmake", ["cmake", "--version"]), ("g++", ["g++", "--version"])):
        found[name] = (answer(command).splitlines() or ["not found"])[0]
    return found
