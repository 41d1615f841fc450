#!/usr/bin/env python3
"""Times PyTorch's operators at the benchmarks of retort_bench, under the same names, on the same device (operators.py).

Names come from `retort_bench --benchmark_list_tests`, one a line. On a GPU times are events' around launches that were queued
before, warm and with a block of memory read in between (cold), as retort_bench measures. Writes FILE after each benchmark, and
leaves out the names that are in it already, so that a run can be cut short and gone on with. bench/compare_ops sets the two side by side.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import time

sys.dont_write_bytecode = True
from operators import FAMILIES, peers_of

LAUNCHES = 16


class CpuTimer:
    def measure(self, work, seconds):
        work()
        times, end = [], time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < end:
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        return {"us": round(1e6 * statistics.median(times), 3)}


class GpuTimer:
    """See bench/ops/device_timer.h."""

    def __init__(self, torch, flush_mib):
        self.torch = torch
        self.block = torch.zeros(flush_mib << 18, device="cuda")
        for _ in range(3):
            self.sweep = self.between(self.block.sum)

    def between(self, work, times=1):
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(times):
            work()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3

    def occupy(self, seconds):
        for _ in range(1 + int(seconds / self.sweep)):
            self.block.sum()

    def measure(self, work, seconds):
        for _ in range(5):  # compiles, finds memory, tries out plans
            work()
        self.torch.cuda.synchronize()
        begun = time.perf_counter()
        for _ in range(LAUNCHES):
            work()
        host = time.perf_counter() - begun
        self.torch.cuda.synchronize()
        warm, cold = [], []
        end = time.perf_counter() + seconds
        while len(warm) < 5 or time.perf_counter() < end:
            self.occupy(2 * host)
            work()
            warm.append(self.between(work, LAUNCHES) / LAUNCHES)
        for _ in range(15):
            self.occupy(2 * host / LAUNCHES)
            cold.append(self.between(work))
        return {"us": round(1e6 * statistics.median(warm), 3), "cold_us": round(1e6 * statistics.median(cold), 3)}


def without_suffix(name):
    """What Google Benchmark puts behind a name is not part of it."""
    return "/".join(word for word in name.split("/") if word not in ("real_time", "manual_time"))


def measure(torch, timer, device, name, seconds, wanted):
    """One row a peer."""
    rows = []
    try:
        peers = peers_of(torch, device, name)
    except RuntimeError as error:
        return [{"name": name, "peer": "eager", "not_available": str(error).splitlines()[0][:200]}]
    for peer, work in peers.items():
        if wanted and peer not in wanted:
            continue
        row = {"name": name, "peer": peer}
        try:
            row.update(timer.measure(work, seconds))
        except Exception as error:  # no kernel for this type here, no compiler: the others are measured all the same
            row["not_available"] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
        rows.append(row)
    if hasattr(torch, "_dynamo"):
        torch._dynamo.reset()  # or the limit of compiled versions of one function is reached
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=argparse.FileType(), default=sys.stdin, help="default: standard input")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peer", action="append", help="eager, native, cudnn or compile; may be repeated; default: all")
    parser.add_argument("--seconds", type=float, default=0.05, help="for each")
    parser.add_argument("--limit", type=float, default=float("inf"), metavar="SECONDS", help="for all, then the rest is left out")
    parser.add_argument("--flush-mib", type=int, default=256)
    args = parser.parse_args()
    end = time.monotonic() + args.limit
    import torch
    torch.set_num_threads(args.threads)
    device = args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    version = "PyTorch " + torch.__version__
    if device == "cuda":
        # What retort_bench computes in fp32 is fp32.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        version += f", {torch.cuda.get_device_name()}, cuDNN {torch.backends.cudnn.version()}"
    timer = GpuTimer(torch, args.flush_mib) if device == "cuda" else CpuTimer()
    rows = json.loads(args.out.read_text())["peers"] if args.out.exists() else []
    there = {row["name"] for row in rows}
    names = [without_suffix(line.strip()) for line in args.names if line.strip()]
    names = [name for name in dict.fromkeys(names) if name.split("/")[0] in FAMILIES]
    left = 0
    for name in names:
        if name in there:
            continue
        if time.monotonic() > end:
            left += 1
            continue
        # A line for what PyTorch has nothing of, so that it is not tried again.
        rows += measure(torch, timer, device, name, args.seconds, args.peer) or [{"name": name, "peer": "none"}]
        args.out.with_suffix(".new").write_text(json.dumps({"device": device, "version": version, "peers": rows}, indent=1) + "\n")
        args.out.with_suffix(".new").replace(args.out)
    print(f"{len(names) - left} of {len(names)} benchmarks measured, {left} left")


if __name__ == "__main__":
    main()
