"""training steps beside PyTorch's on the same GPU: distillation with the teacher in it, then a student's step alone"""
import json

from gpu_stages import machine
from gpu_stages.kept import Kept, fingerprint
from gpu_stages.python import find_python, version_of
from gpu_stages.stage import right_aligned

PEERS = machine.ROOT / "bench" / "peers"
PAIRS = [("wrn-40-2", "wrn-16-2"), ("resnet32x4", "resnet8x4")]
BATCHES = [64, 512]
PRECISIONS = ["fp32", "tf32", "bf16"]
# What starts quickly goes together; what compiles, or may fail, has a process and a time limit of its own. The order is that
# of importance, for the stage may end in between: the next call goes on.
QUICK = [f"{how}-{precision}" for precision in PRECISIONS for how in ("eager", "channels-last", "graph")]
COMPILED = ["reduce-overhead-bf16", "reduce-overhead-tf32", "max-autotune-bf16", "max-autotune-tf32", "reduce-overhead-fp32",
            "max-autotune-fp32"]
# What Retort's own step costs without this or that.
VARIANTS = {"launched one by one": ["--graph", "off"], "teacher before student": ["--teacher-beside", "off"],
            "teacher not folded": ["--fold-teacher", "off"], "plans by heuristics": ["--plans", "heuristic"]}
NETS = ["resnet20", "wrn-16-2", "resnet8x4", "lenet5"]
STUDENT_BATCH = 128


class Steps:
    def __init__(self, stage):
        self.stage, self.cpu = stage, stage.device == "cpu"
        self.program = stage.build / "bench" / "retort_step"
        self.kept, self.python = Kept(stage), find_python()
        self.retort_mark = fingerprint([self.program])
        self.peer_mark = fingerprint([PEERS / name for name in ("pytorch_kd_step.py", "pytorch_step.py", "networks.py")]) + version_of(self.python)
        self.pairs = [("resnet20", "resnet20")] if self.cpu else PAIRS
        self.batches = [8] if self.cpu else BATCHES
        self.precisions = ["fp32"] if self.cpu else PRECISIONS
        self.later = 0

    def objects(self, command, limit, env=None):
        """The end of a command, and the JSON objects that it printed."""
        done = self.stage.run(command, limit, env)
        return done, [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]

    def part(self, name, mark, needs, measure):
        """A part's result: kept, or measured now if `needs` seconds are left. measure() returns it, or None after saying why."""
        found = self.kept.get(name, mark)
        if found is not None:
            self.stage.part(name, True, "measured by an earlier call")
            return found
        if self.stage.left() < needs:
            self.later += 1
            return None
        found = measure()
        if found is not None:
            self.kept.put(name, mark, found)
        return found

    def retort(self, teacher, student, batch, precision, variant=None):
        name = f"Retort, {teacher} -> {student}, batch {batch}, {precision}" + (f", {variant}" if variant else "")
        length = ["--steps", 1, "--blocks", 3] if self.cpu else ["--warm-up", 1.5, "--block-seconds", 0.3, "--blocks", 7]

        def measure():
            done, found = self.objects([self.program, "--teacher", teacher, "--net", student, "--batch", batch, "--precision",
                                        precision, "--device", self.stage.device, "--floor", "--json", *length, *VARIANTS.get(variant, [])], 90)
            if not found or not done.ok:
                self.stage.part_of(name, done)
                return None
            self.stage.part(name, True, f"{found[0]['median_ms']:.3f} ms", done.seconds)
            return found[0]
        return self.part(name, self.retort_mark, 10, measure)

    def pytorch(self, teacher, student, batch, modes, limit):
        name = f"PyTorch, {teacher} -> {student}, batch {batch}, {modes[0] if len(modes) == 1 else 'without a compiler'}"
        length = ["--warm-up", 0.1, "--block-seconds", 0.05, "--blocks", 3] if self.cpu else ["--warm-up", 1.5]
        words = [word for mode in modes for word in ("--mode", mode)]

        def measure():
            done, found = self.objects(
                [self.python, PEERS / "pytorch_kd_step.py", "--teacher", teacher, "--net", student, "--batch", batch, "--device",
                 self.stage.device, *length, *words], limit,
                {"TORCHINDUCTOR_CACHE_DIR": str(self.stage.scratch.parent / "torchinductor")})
            timed = [each for each in found if "median_ms" in each]
            if done.late and done.seconds > limit - 2:
                # The other modes were printed; this one would take as long again.
                found += [{"mode": mode, "not_available": f"not done after {limit} s"} for mode in modes[len(found):]]
            elif not done.ok or done.late:
                self.stage.part_of(name, done)
                return None
            note = ", ".join(f"{each['mode']} {each['median_ms']:.3f} ms" for each in timed)
            refused = [f"{each['mode']}: {each['not_available']}" for each in found if "not_available" in each]
            self.stage.part(name, True if timed else None, note or "not available: " + "; ".join(refused)[:200], done.seconds)
            return found
        return self.part(name, self.peer_mark, min(limit, 45 if len(modes) > 1 else 75), measure)

    def student_alone(self, net, precision):
        """Teacher logits given, as bench/compare_with_pytorch has it."""
        name = f"student alone, {net}, {precision}"
        file = self.stage.scratch / "compared.json"
        peer = "--warm-up 0.1 --block-seconds 0.05 --blocks 3" if self.cpu else "--warm-up 1.5 --block-seconds 0.3 --sgd fused"
        retort = "--steps 2 --blocks 3" if self.cpu else "--warm-up 1 --block-seconds 0.3 --blocks 7"

        def measure():
            file.unlink(missing_ok=True)
            done = self.stage.run([machine.ROOT / "bench" / "compare_with_pytorch", "--device", self.stage.device, "--precision",
                                   precision, "--net", net, "--batch", 16 if self.cpu else STUDENT_BATCH, "--rounds", 1,
                                   "--retort", self.program, "--retort-args", retort, "--peer-args", peer, "--out", file], 120)
            if not file.exists():
                self.stage.part_of(name, done)
                return None
            compared = json.loads(file.read_text())
            found = {**compared["compared"][0], "versions": compared["versions"], "measured": compared["measured"][net]}
            if "ratio" not in found:  # compare_with_pytorch ends with 3
                self.stage.part(name, None, f"{found['retort']['images_per_second']:,.0f} images/s; no PyTorch here", done.seconds)
            else:
                self.stage.part_of(name, done, f"{found['ratio']:.2f} of PyTorch's rate")
            return found
        return self.part(name, self.retort_mark + self.peer_mark, 40, measure)


def run(stage):
    if not (stage.build / "bench" / "retort_step").exists():
        stage.part("retort_step", False, "not built")
        return
    steps = Steps(stage)
    shapes = [(*pair, batch) for pair in steps.pairs for batch in steps.batches]
    kd = {f"{teacher} -> {student}, batch {batch}": {"retort": {}, "pytorch": {}} for teacher, student, batch in shapes}
    stage.results["distillation"], alone = kd, stage.results.setdefault("student alone", {})

    def keep_peers(shape, found):
        rows = kd["{} -> {}, batch {}".format(*shape)]["pytorch"]
        rows.update({each["mode"]: each for each in found or []})

    for shape in shapes:
        for precision in steps.precisions:
            found = steps.retort(*shape, precision)
            if found:
                kd["{} -> {}, batch {}".format(*shape)]["retort"][precision] = found
    variants = stage.results["variants"] = {}
    for shape in shapes[:len(steps.batches)]:
        for variant in VARIANTS:
            found = steps.retort(*shape, steps.precisions[-1], variant)
            if found:
                variants["{} -> {}, batch {}, ".format(*shape) + variant] = found
    if steps.python is None:
        stage.part("PyTorch", None, "not available: no Python here imports torch")
    else:
        quick = ["eager-fp32", "channels-last-fp32", "eager-tf32", "graph-fp32"] if steps.cpu else QUICK
        for shape in shapes:
            keep_peers(shape, steps.pytorch(*shape, quick, 150))
        for mode in ["reduce-overhead-fp32"] if steps.cpu else COMPILED[:1]:
            for shape in shapes:
                keep_peers(shape, steps.pytorch(*shape, [mode], 170))
    for net in NETS[-1:] if steps.cpu else NETS:
        for precision in steps.precisions:
            found = steps.student_alone(net, precision)
            if found:
                alone[f"{net}, {precision}"] = found
    if steps.python is not None and not steps.cpu:
        for mode in COMPILED[1:]:
            for shape in shapes:
                keep_peers(shape, steps.pytorch(*shape, [mode], 170))
    if steps.later:
        stage.unfinished = True
        stage.part("the rest", None, f"{steps.later} parts are left: the same stage again goes on from there")
    tables(kd, alone)


def fastest(peers, precision):
    """PyTorch's fastest way with this precision, or nothing."""
    timed = [each for each in peers.values() if "median_ms" in each and each["precision"] == precision]
    return min(timed, key=lambda each: each["median_ms"], default=None)


def tables(kd, alone):
    rows = [["", "Retort ms", "spread", "floor ms", "share", "launches", "of their floor", "eager ms", "ratio", "fastest PyTorch",
             "ms", "ratio"]]
    for name, sides in kd.items():
        for precision, one in sides["retort"].items():
            floor = one.get("floor", {})
            eager, best = sides["pytorch"].get(f"eager-{precision}", {}), fastest(sides["pytorch"], precision)
            rows.append([f"{name}, {precision}", f"{one['median_ms']:.3f}", f"{one['best_ms']:.3f} to {one['worst_ms']:.3f}",
                         f"{floor.get('floor_ms', 0):.3f}", f"{floor.get('share', 0):.2f}", str(one["launches"]),
                         f"{floor['launch_share']:.2f}" if "launch_share" in floor else "-",
                         *([f"{eager['median_ms']:.3f}", f"{eager['median_ms'] / one['median_ms']:.2f}"] if "median_ms" in eager
                           else ["-", "-"]),
                         *([best["mode"], f"{best['median_ms']:.3f}", f"{best['median_ms'] / one['median_ms']:.2f}"] if best
                           else ["-", "-", "-"])])
    right_aligned(rows)
    rows = [["student alone, logits given", "Retort images/s", "PyTorch images/s", "ratio", "Retort MiB", "PyTorch MiB"]]
    for name, row in alone.items():
        if "ratio" in row:
            rows.append([name, *(f"{row[side]['images_per_second']:,.0f}" for side in ("retort", "pytorch")), f"{row['ratio']:.2f}",
                         *(f"{row[side]['peak_memory_mib']:,.0f}" for side in ("retort", "pytorch"))])
    right_aligned(rows)
