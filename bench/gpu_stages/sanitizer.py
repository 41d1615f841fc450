"""compute-sanitizer's memcheck and racecheck over the kernel tests"""
import re

from gpu_stages import machine
from gpu_stages.doctest import run_tests

# Names of tests in tests/kernels; a comma ends a pattern. Left out: the test that exhausts the memory, which is an error
# of CUDA's by design, and the ones that train.
FAMILIES = {
    "element-wise": "relu passes*,add rounds*,convert rounds*,dropout*,element-wise kernels*,allocate aligns*",
    "batch norm": "batch norm*",
    "pooling": "max pooling*,average pooling*,global average*",
    "losses": "cross-entropy*,a row *,the prediction*,huge logits*,the random mask*,dividing by*,losses take*,"
              "the distillation loss*,distillation*,the squared error*",
    "optimizer": "SGD*,AdamW*,three steps*,no optimizer*,the gradient's*,a step *,judging*,an applied step*,the end of a step*",
    "data": "gathered*,a sample's*,another epoch*,without padding*,labels and*,the queue*",
    "convolution": "convolution*",
    "linear": "the linear layer computes*,the linear layer's*",
}
# cuDNN and cuBLAS order their memory in ways that racecheck does not follow, and take it longest.
LIBRARIES = {"convolution", "linear"}
REFUSALS = ("Device not supported", "not supported on this", "Unable to initialize", "LibraryNotLoaded")


def refusal(output):
    return next((line.strip("= ").strip() for line in output.splitlines() if any(word in line for word in REFUSALS)), "")


def run(stage):
    program = machine.tool("compute-sanitizer")
    if program is None:
        stage.part("compute-sanitizer", None, "not available: compute-sanitizer is not on this machine")
        return
    stage.results["version"] = (machine.answer([program, "--version"]).splitlines() or ["?"])[-1]
    for tool in ("memcheck", "racecheck"):
        before = [program, "--tool", tool, "--error-exitcode", "9", "--print-limit", "20"]
        for family, names in FAMILIES.items():
            if tool == "racecheck" and family in LIBRARIES:
                continue
            name = f"{tool}, {family}"
            done, ok, note = run_tests(stage, name, "test_kernels", stage.device, [f"-tc={names}"], 120, before)
            refused = refusal(done.output)
            if refused:
                stage.part(name, None, f"not available: {refused}", done.seconds)
                break  # the others of this tool would be refused as well
            # Of memcheck and of racecheck; nothing of the kind: the tool did not get to its end.
            summary = re.search(r"(?:ERROR SUMMARY|RACECHECK SUMMARY): (.*)", done.output)
            clean = summary is not None and re.match(r"0 (?:errors|hazards)", summary[1]) is not None
            stage.part(name, ok and clean, f"{note}; {summary[1] if summary else 'no summary of the sanitizer'}", done.seconds)
