"""configure for the GPU that is here (Release) and build everything into build-gpu/"""
import os
import re
import shutil

from gpu_stages import machine

PROGRAMS = ["distill/retort", "tests/test_kernels", "tests/test_nets", "tests/test_engine", "bench/retort_step",
            "bench/retort_bench"]


def run(stage):
    cores = len(os.sched_getaffinity(0))
    configure = ["cmake", "-S", machine.ROOT, "-B", stage.build, "-DCMAKE_BUILD_TYPE=Release"]
    keep_going = ["-k"]
    if shutil.which("ninja"):
        configure += ["-G", "Ninja"]
        keep_going = ["-k", "0"]
    capability = (stage.gpu or {}).get("capability", "?")
    if re.fullmatch(r"\d+\.\d", capability):
        configure += ["-DCMAKE_CUDA_ARCHITECTURES=" + capability.replace(".", "")]
    done = stage.run(configure, 120)
    stage.part_of("configure", done)
    said = re.search(r"CUDA backend: (.*)", done.output)
    said = said[1] if said else "configure did not get that far"
    # Without it the processor's part is still built, and the stages that need the GPU then fail.
    built = said.startswith("nvcc ")
    stage.part("CUDA backend", built if built or stage.gpu else None, said)
    stage.results["CUDA backend"] = said
    if not done.ok:
        return
    build = ["cmake", "--build", stage.build, "-j", cores, "--", *keep_going]
    stage.part_of("build", stage.run(build, 500), f"{cores} cores")
    missing = [program for program in PROGRAMS if not (stage.build / program).exists()]
    stage.part("programs", not missing, "missing: " + ", ".join(missing) if missing else f"{len(PROGRAMS)} are there")
    if "distill/retort" not in missing:
        info = stage.run([stage.retort(), "info"], 60)
        stage.part_of("retort info", info)
        stage.results["info"] = info.output.splitlines()
    print("\n".join(["", *(f"  {name:9} {where}" for name, where in machine.versions(stage.build).items()),
                     *(f"  {name:9} {what}" for name, what in (stage.gpu or {}).items())]))
