"""kernels, nets and golden steps on the GPU, parity with the CPU, runs that repeat and resume bit for bit"""
import re

from gpu_stages.doctest import run_tests
from gpu_stages.runs import difference, read_floats, relative_distance

TEACHER = ["--data", "synthetic:train=600,test=200", "--net", "resnet8", "--epochs", "3", "--batch", "64",
           "--augment", "crop-flip", "--confidence", "0.6"]
STUDENT = ["--data", "synthetic:train=600,test=200", "--net", "resnet8", "--epochs", "2", "--batch", "64", "--method", "hybrid",
           "--confidence", "0.6"]
# Bounds for logits on the GPU against the processor's in fp32: some sums of ten layers in another order, rounding of the
# factors to 10 bits, to 7 bits.
PRECISIONS = {"fp32": 1e-4, "tf32": 2e-2, "bf16": 8e-2}


def info(stage):
    done = stage.run([stage.retort(), "info"], 60)
    line = re.search(r"^cuda +(.*)$", done.output, re.M)
    line = line[1] if line else "no line about CUDA"
    stage.results["info"] = line
    stage.part("retort info", done.ok and (stage.device == "cpu" or "compute capability" in line), line, done.seconds)


def tests(stage):
    for part, program, filters, limit in (
            ("golden steps", "test_nets", ["-tc=golden*"], 60), ("test_kernels", "test_kernels", ["-tce=simt*"], 100),
            ("test_nets", "test_nets", ["-tce=golden*,plans*"], 60), ("test_engine", "test_engine", [], 60)):
        done, ok, note = run_tests(stage, part, program, stage.device, filters, limit)
        stage.part(part, ok, note, done.seconds)
        if part == "golden steps":
            stage.results["golden"] = re.findall(r"(?:resnet8|wrn-10-1).*?: (?:logits|losses).*", done.output)


def train(stage, command, folder, more, limit=60):
    return stage.run([stage.retort(), command, *more, "--device", stage.device, "--out", folder], limit)


def repeats_and_resumes(stage, name, command, arguments, folder, stop):
    """Four runs: one, the same again, one without recordings, and one that is stopped after `stop` batches, in the middle of
    an epoch."""
    ends = [train(stage, command, folder / each, arguments + more) for each, more in (
        ("one", []), ("two", []), ("stopped", ["--max-steps", stop]), ("eager", ["--graph", "off"]))]
    halves = [ends[0], ends[2]]
    if ends[2].ok and not ends[2].late:  # else --resume would start a run of its own
        halves.append(stage.run([stage.retort(), command, "--resume", "--out", folder / "stopped"], 60))
    for part, ended, other in (("repeats", ends[:2], "two"), ("eager is recorded", [ends[0], ends[3]], "eager"),
                               ("resumes", halves, "stopped")):
        problem = next((done.problem() for done in ended if not done.ok or done.late), "")
        problem = problem or difference(folder / "one", folder / other)
        stage.part(f"{name} {part}", not problem, problem or "the same files", sum(done.seconds for done in ended))


def parity(stage, checkpoint):
    """The logits of one network, by the processor and by the GPU."""
    folder = stage.empty_folder("parity")
    common = [stage.retort(), "predict", "--checkpoint", checkpoint, "--data", TEACHER[1], "--batch", "100"]

    def logits(name, device, precision):
        done = stage.run([*common, "--device", device, "--precision", precision, "--out", folder / f"{name}.safetensors"], 60)
        return done, done.ok and read_floats(folder / f"{name}.safetensors", "logits")

    done, reference = logits("cpu", "cpu", "fp32")
    if not done.ok:
        stage.part_of("parity", done)
        return
    stage.results["parity"] = {}
    for precision, bound in PRECISIONS.items():
        if stage.device == "cpu" and precision != "fp32":
            continue
        done, values = logits(precision, stage.device, precision)
        if not done.ok:
            stage.part_of(f"parity {precision}", done)
            continue
        distance = relative_distance(values, reference)
        stage.results["parity"][precision] = distance
        stage.part(f"parity {precision}", distance <= bound, f"logits differ by {distance:.1e}, bound {bound:.0e}", done.seconds)


def run(stage):
    info(stage)
    tests(stage)
    teacher = stage.empty_folder("teacher")
    repeats_and_resumes(stage, "teach", "teach", [*TEACHER, "--regulation", "mask"], teacher, 13)
    parity(stage, teacher / "one")
    student = stage.empty_folder("student")
    repeats_and_resumes(stage, "distill", "distill", [*STUDENT, "--teacher", teacher / "one"], student, 3)
    compact = stage.empty_folder("compact")
    repeats_and_resumes(stage, "compact", "teach", [*TEACHER, "--regulation", "compact", "--scoring", "training"],
                        compact, 13)
