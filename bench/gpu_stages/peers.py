"""PyTorch's operators, cuDNN's batch norm and torch.compile at the kernels' benchmarks: which of them beat Retort"""
import json

from gpu_stages import machine, operators
from gpu_stages.kept import Kept, fingerprint
from gpu_stages.python import find_python, version_of

PEERS = machine.ROOT / "bench" / "peers"
# On the processor this is a trial: one name of each kind.
TRIAL = r"(resnet20-131072.*f32|lenet5-fc2|278324-nesterov/|gather|128-rows-of-10-)"


def run(stage):
    python = find_python()
    program = stage.build / "bench" / "retort_bench"
    if python is None or not program.exists():
        stage.part("peers", None, "not available: " + ("no PyTorch here" if python is None else "retort_bench is not built"))
        return
    cpu = stage.device == "cpu"
    named = stage.run([program, "--device", stage.device, "--benchmark_list_tests=true",
                       "--benchmark_filter=" + (TRIAL if cpu else ".")], 120)
    names = [line for line in named.output.splitlines() if line.count("/") >= 2 and " " not in line]
    if not named.ok or not names:
        stage.part("names", False, named.problem() or "no benchmark has a name")
        return
    kept = Kept(stage)
    mark = fingerprint([PEERS / "pytorch_ops.py", PEERS / "operators.py"]) + "-" + version_of(python)
    out = kept.folder / f"peers-{mark}.json"
    lines = stage.scratch / "names.txt"
    lines.write_text("\n".join(names) + "\n")
    cache = stage.scratch.parent / "torchinductor"
    # The eager ones first: compiling takes most of the time, and the rest of it is done by the next call.
    for part, peers in (("eager", ["eager", "native", "cudnn"]), ("torch.compile", ["compile"])):
        file = out.with_name(f"{part}-{out.name}")
        left = stage.left() - 15
        if left < 20:
            stage.unfinished = True
            stage.part(part, None, "no time left: the same stage again goes on")
            continue
        words = [word for peer in peers for word in ("--peer", peer)]
        done = stage.run([python, PEERS / "pytorch_ops.py", "--names", lines, "--out", file, "--device", stage.device, "--limit",
                          f"{left - 15:.0f}", "--seconds", "0.01" if cpu else "0.03", *words], left,
                         {"TORCHINDUCTOR_CACHE_DIR": str(cache)})
        unfinished = done.late or not done.last_line().endswith(" 0 left")
        stage.unfinished |= unfinished
        if done.ok and not done.late:
            stage.part(part, None if unfinished else True,
                       done.last_line() + ("; the same stage again goes on" if unfinished else ""), done.seconds)
        else:
            stage.part_of(part, done)
        if file.exists():
            measured = json.loads(file.read_text())
            stage.results["version"] = measured["version"]
            found = [row for row in measured["peers"] if row["peer"] != "none"]
            if not found:
                stage.part(f"{part}, results", None, f"not available in {measured['version']}")
            stage.results.setdefault("peers", []).extend(found)
    compare(stage)


def compare(stage):
    """With the kernels stage's result: what this folder has, else what was kept."""
    place = stage.out / "kernels.json"
    kernels = []
    if place.exists():
        kernels = operators.rows_of(json.loads(place.read_text()))
    else:
        for file in sorted((stage.scratch.parent / "kernels" / "kept").glob("*.json")):
            kernels += json.loads(file.read_text())["value"]["rows"]
    if not kernels:
        stage.part("comparison", None, "no kernels.json yet: bench/on_gpu kernels, then bench/compare_ops")
        return
    compared = operators.compare(kernels, stage.results.get("peers", []))
    stage.results["compared"] = compared
    lines = operators.lines(compared)
    stage.part("comparison", True, lines[-1])
    print("\n  fastest peer's time over Retort's; below 1 it is faster:")
    print("\n".join("    " + line for line in lines[:-1]))
