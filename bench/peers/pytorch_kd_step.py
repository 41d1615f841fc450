#!/usr/bin/env python3
"""Times a distillation step of PyTorch, the teacher's forward pass included, in the ways in which PyTorch can run it.

The step: teacher in evaluation mode without gradients, student forward, 0.1 cross-entropy + 0.9 T^2 KL with T = 4, backward,
SGD (momentum 0.9, weight decay 5e-4), as CIFAR-100's recipe and retort_step --teacher have it. The batch lies on the device:
PyTorch is spared a loader and augmentation, which Retort's step contains. Prints one JSON object a mode; where a mode is not
available here, with the reason in its place.

Modes are HOW-PRECISION:
  eager            as RepDistiller runs it: PyTorch's own layout
  channels-last    eager, tensors in NHWC
  graph            eager, NHWC, the whole step captured once as a CUDA graph
  reduce-overhead  torch.compile with CUDA graphs, NHWC
  max-autotune     torch.compile that also tries out kernels, NHWC
with fp32, tf32 (products in TF32) or bf16 (autocast). All have cudnn.benchmark, and SGD as one fused kernel where it is.
"""
import argparse
import gc
import itertools
import json
import math
import os
import sys
import time

sys.dont_write_bytecode = True
from networks import NETS, make_net
from pytorch_step import keep_memory, peak_memory_mib

HOW = ["eager", "channels-last", "graph", "reduce-overhead", "max-autotune"]
PRECISIONS = ["fp32", "tf32", "bf16"]
MODES = [f"{how}-{precision}" for how, precision in itertools.product(HOW, PRECISIONS)]
TEMPERATURE, ALPHA = 4.0, 0.9


class NotAvailable(Exception):
    pass


def check_available(torch, how, precision, device):
    if device == "cpu":
        if precision == "tf32":
            raise NotAvailable("TF32 is a GPU's")
        if how == "graph":
            raise NotAvailable("CUDA graphs need a GPU")
    if how in ("reduce-overhead", "max-autotune") and not hasattr(torch, "compile"):
        raise NotAvailable(f"PyTorch {torch.__version__} has no torch.compile")


def make_optimizer(torch, parameters, device):
    options = dict(lr=0.01, momentum=0.9, weight_decay=5e-4)
    for kind in ["fused", "foreach"] if device == "cuda" else ["foreach"]:
        try:
            return torch.optim.SGD(parameters, **options, **{kind: True}), kind
        except (TypeError, RuntimeError):  # this version has no such kind
            continue
    return torch.optim.SGD(parameters, **options), "plain"


class Step:
    """One mode, ready to run: call it for a step, which returns the loss."""

    def __init__(self, torch, args, how, precision):
        import torch.nn.functional as F
        device = args.device
        if device == "cuda":
            # fp32 is fp32 here: PyTorch's own default for convolutions is TF32.
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
            torch.backends.cudnn.benchmark = True
        torch.manual_seed(1)
        channels, side, classes, _ = NETS[args.net]
        (student, self.parameters), (teacher, self.teacher_parameters) = make_net(args.net), make_net(args.teacher)
        student, teacher = student.to(device).train(), teacher.to(device).eval()
        images = torch.randn(args.batch, channels, side, side).to(device)
        labels = torch.randint(classes, (args.batch,)).to(device)
        if how != "eager":
            student, teacher = (net.to(memory_format=torch.channels_last) for net in (student, teacher))
            images = images.contiguous(memory_format=torch.channels_last)
        for parameter in teacher.parameters():
            parameter.requires_grad_(False)
        optimizer, self.sgd = make_optimizer(torch, student.parameters(), device)

        def loss_of(images, labels):
            with torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bf16"):
                with torch.no_grad():
                    given = teacher(images)
                logits = student(images)
            logits, given = logits.float(), given.float()
            kl = F.kl_div(F.log_softmax(logits / TEMPERATURE, 1), F.softmax(given / TEMPERATURE, 1), reduction="batchmean")
            return (1 - ALPHA) * F.cross_entropy(logits, labels) + ALPHA * TEMPERATURE * TEMPERATURE * kl

        compiled = how in ("reduce-overhead", "max-autotune")
        if compiled:
            # max-autotune contains CUDA graphs as well.
            loss_of = torch.compile(loss_of, mode=how)
        begin = getattr(getattr(torch, "compiler", None), "cudagraph_mark_step_begin", lambda: None) if compiled else None

        def step():
            if begin:
                begin()
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(images, labels)
            loss.backward()
            optimizer.step()
            return loss

        self.run = self.capture(torch, step) if how == "graph" else step

    @staticmethod
    def capture(torch, step):
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(5):  # plans are chosen and memory is found before the capture
                step()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = step()

        def replay():
            graph.replay()
            return loss
        return replay


class Clock:
    """Seconds of some steps, by events on a GPU."""

    def __init__(self, torch, device):
        self.torch, self.cuda = torch, device == "cuda"

    def seconds(self, step, steps):
        if not self.cuda:
            begun = time.perf_counter()
            for _ in range(steps):
                loss = step()
            return time.perf_counter() - begun, loss
        begin, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(steps):
            loss = step()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1e3, loss


def kernels_of(torch, step, device):
    """How many kernels the GPU runs for a step, or None."""
    if device != "cuda":
        return None
    try:
        from torch.profiler import ProfilerActivity, profile
        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            step()
            torch.cuda.synchronize()
        kernels = [e for e in profiler.events() if "cuda" in str(e.device_type).lower() and not e.name.startswith("Mem")]
        return len(kernels) or None
    except Exception:  # a profiler that is not allowed here takes nothing from the times
        return None


def measure(torch, args, mode):
    how, precision = mode.rsplit("-", 1)
    check_available(torch, how, precision, args.device)
    step, clock = Step(torch, args, how, precision), Clock(torch, args.device)
    begun = time.perf_counter()
    for _ in range(3):
        clock.seconds(step.run, 1)  # builds, compiles, chooses plans
    prepared = time.perf_counter() - begun
    end, one = time.perf_counter() + args.warm_up, math.inf
    while True:
        one = min(one, clock.seconds(step.run, 3)[0] / 3)
        if time.perf_counter() >= end:
            break
    steps = max(1, round(args.block_seconds / one))
    blocks = []
    for _ in range(args.blocks):
        seconds, loss = clock.seconds(step.run, steps)
        blocks.append(1e3 * seconds / steps)
    blocks.sort()
    loss = float(loss.detach())
    if not math.isfinite(loss):
        raise SystemExit(f"{mode}: the loss is {loss}, so its time means nothing")
    memory = peak_memory_mib(args.device)
    median = blocks[len(blocks) // 2]
    version = "PyTorch " + torch.__version__
    if args.device == "cuda":
        version += f", {torch.cuda.get_device_name()}, cuDNN {torch.backends.cudnn.version()}"
    return {"mode": mode, "images_per_second": round(1e3 * args.batch / median, 1), "median_ms": round(median, 4),
            "best_ms": round(blocks[0], 4), "worst_ms": round(blocks[-1], 4), "steps_a_block": steps,
            "prepared_seconds": round(prepared, 1), "peak_memory_mib": round(memory, 1), "sgd": step.sgd,
            "kernels": kernels_of(torch, step.run, args.device), "parameters": step.parameters,
            "teacher_parameters": step.teacher_parameters, "precision": precision, "device": args.device,
            "threads": torch.get_num_threads(), "version": version}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=NETS, default="wrn-16-2")
    parser.add_argument("--teacher", choices=NETS, default="wrn-40-2")
    parser.add_argument("--mode", action="append", choices=MODES, metavar="MODE", help="may be repeated; default: all of them")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--warm-up", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--blocks", type=int, default=7, help="timed blocks, of which the median is reported")
    parser.add_argument("--block-seconds", type=float, default=0.3)
    args = parser.parse_args()
    keep_memory()
    import torch
    torch.set_num_threads(args.threads)
    if args.device == "auto":
        args.device = "cuda" if torch.cuda.is_available() else "cpu"
    for mode in args.mode or MODES:
        what = {"net": args.net, "teacher": args.teacher, "batch": args.batch}
        try:
            print(json.dumps({**what, **measure(torch, args, mode)}), flush=True)
        except NotAvailable as reason:
            print(json.dumps({**what, "mode": mode, "not_available": str(reason)}), flush=True)
        except Exception as error:  # torch.compile needs a compiler, Triton and luck; the other modes do not
            if mode.startswith(("eager", "channels-last")):
                raise
            reason = f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0][:200]}"
            print(json.dumps({**what, "mode": mode, "not_available": reason}), flush=True)
        # The next mode's memory is to be its own.
        if hasattr(torch, "_dynamo"):
            torch._dynamo.reset()
        gc.collect()
        if args.device == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
