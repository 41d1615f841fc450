#!/usr/bin/env python3
"""Times a training step of PyTorch on the CPU or a GPU: a student that learns from given teacher logits.

The step is forward, 0.1 cross-entropy + 0.9 T^2 KL with T = 4, backward, SGD (momentum 0.9, weight decay 5e-4, rate 0.05).
Prints one JSON object a net, with the fields of build/bench/retort_step --json. Any PyTorch from 1.13 on.
The nets are in networks.py.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from networks import NETS, TIMED, make_net

# glibc gives large blocks back to the system on every free and faults them in again on every step. Kept instead, PyTorch's
# steps are 5 to 20 % faster, so this is the default here; `--malloc system` is PyTorch as it comes.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**34), "MALLOC_TOP_PAD_": str(2**26)}


def peak_memory_mib(device):
    """As retort_step: on a GPU what is in use there at the end, with the context and libraries, by anybody."""
    if device == "cuda":
        import torch
        free, total = torch.cuda.mem_get_info()
        return (total - free) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def keep_memory():
    """Starts the program again with that environment, which glibc reads once."""
    if any(os.environ.get(name) != value for name, value in KEEP_MEMORY.items()):
        os.environ.update(KEEP_MEMORY)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def make_optimizer(torch, parameters, kind):
    options = dict(lr=0.05, momentum=0.9, weight_decay=5e-4)
    if kind != "plain":
        options[kind] = True
    return torch.optim.SGD(parameters, **options)


def measure(name, args):
    import torch
    import torch.nn.functional as F

    torch.manual_seed(1)
    torch.set_num_threads(args.threads)
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and args.precision == "tf32":
        sys.exit("--precision tf32 needs --device cuda")
    cuda = device == "cuda"
    if cuda:
        # fp32 is fp32 here: PyTorch's own default for convolutions is TF32.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.precision == "tf32"
        torch.backends.cudnn.benchmark = True  # the fastest plan for each convolution, found while warming up
    channels, side, classes, _ = NETS[name]
    net, count = make_net(name)
    net.train()
    net = net.to(device)
    images = torch.randn(args.batch, channels, side, side).to(device)
    if not args.channels_first:
        net = net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(classes, (args.batch,)).to(device)
    teacher = (torch.randn(args.batch, classes) * 3).to(device)
    optimizer = make_optimizer(torch, net.parameters(), args.sgd)
    model = net
    if args.jit:
        model = torch.jit.trace(net, images)
    if args.compile:
        model = torch.compile(net)
    temperature = 4.0

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=args.precision == "bf16"):
            logits = model(images)
        logits = logits.float()
        kl = F.kl_div(F.log_softmax(logits / temperature, 1), F.softmax(teacher / temperature, 1), reduction="batchmean")
        loss = 0.1 * F.cross_entropy(logits, labels) + 0.9 * temperature * temperature * kl
        loss.backward()
        optimizer.step()
        return loss

    def wait():
        if cuda:
            torch.cuda.synchronize()

    # Warm up until the step has settled, then size the blocks by the clock.
    end, steps, best = time.perf_counter() + args.warm_up, 0, float("inf")
    while steps < 3 or time.perf_counter() < end:
        begun = time.perf_counter()
        step()
        wait()
        best, steps = min(best, time.perf_counter() - begun), steps + 1
    per_block = max(1, round(args.block_seconds / best))
    blocks = []
    for _ in range(args.blocks):
        begun = time.perf_counter()
        for _ in range(per_block):
            loss = step()
        wait()
        blocks.append((time.perf_counter() - begun) / per_block)
    if not torch.isfinite(loss):
        sys.exit(f"{name}: the loss is {loss.item()}, so its time means nothing")
    median = statistics.median(blocks)
    version = "PyTorch " + torch.__version__
    if cuda:
        version += f", {torch.cuda.get_device_name()}, cuDNN {torch.backends.cudnn.version()}"
    print(json.dumps({
        "net": name, "batch": args.batch, "images_per_second": round(args.batch / median, 1),
        "median_ms": round(median * 1e3, 4), "best_ms": round(min(blocks) * 1e3, 4),
        "peak_memory_mib": round(peak_memory_mib(device), 1), "parameters": count, "version": version,
        "device": device, "threads": torch.get_num_threads(), "precision": args.precision}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", action="append", choices=NETS, help=f"may be repeated; default: {', '.join(TIMED)}")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32", help="bf16: autocast to bfloat16")
    parser.add_argument("--jit", action="store_true", help="trace the net with torch.jit")
    parser.add_argument("--compile", action="store_true", help="torch.compile (PyTorch 2)")
    parser.add_argument("--channels-first", action="store_true", help="leave the tensors in PyTorch's own layout")
    parser.add_argument("--sgd", choices=("plain", "foreach", "fused"), default="plain", help="PyTorch's implementations of SGD")
    parser.add_argument("--malloc", choices=("keep", "system"), default="keep", help="keep freed memory between steps, or not")
    parser.add_argument("--warm-up", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--blocks", type=int, default=7, help="timed blocks; the median and the best are reported")
    parser.add_argument("--block-seconds", type=float, default=1.0)
    parser.add_argument("--json", action="store_true", help="accepted for likeness to retort_step; the output is JSON anyway")
    args = parser.parse_args()
    if args.malloc == "keep":
        keep_memory()
    nets = args.net or TIMED
    if len(nets) == 1:
        measure(nets[0], args)
        return
    # A fresh process for each net, so that its peak memory is its own.
    others, skip = [], False
    for word in sys.argv[1:]:
        if skip or word == "--net":
            skip = not skip
        elif not word.startswith("--net="):
            others.append(word)
    for net in nets:
        subprocess.run([sys.executable, __file__, "--net", net, *others], check=True)


if __name__ == "__main__":
    main()
