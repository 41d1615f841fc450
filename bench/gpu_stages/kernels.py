"""every kernel at the sizes of real networks and beyond the cache, warm and cold, against what the machine can do; the lab"""
import json

from gpu_stages.kept import Kept, fingerprint
from gpu_stages.operators import rows_of

FAMILIES = ["batch_norm", "distillation_loss", "optimizer", "augmentation", "convolution", "elementwise", "linear", "pooling",
            "regulation", "squared_loss", "commit", "queue", "launch"]
MACHINE = ["device", "copy_bandwidth", "matrix_rate_f32", "matrix_rate_tf32", "matrix_rate_bf16"]
SLOWEST = 12


def measure(stage, program, family):
    """The family's rows and the machine's rates; None where they could not be measured, which is said."""
    file = stage.scratch / f"{family}.json"
    file.unlink(missing_ok=True)
    done = stage.run([program, "--device", stage.device, f"--benchmark_filter=^{family}/", f"--benchmark_out={file}",
                      "--benchmark_out_format=json", "--benchmark_min_time=" + ("0.01" if stage.device == "cpu" else "0.05")], 240)
    try:
        measured = json.loads(file.read_text())
    except (OSError, ValueError):  # a benchmark that was stopped leaves half a file
        if done.ok and not done.late and family == "launch" and stage.device == "cpu":
            stage.part(family, None, "not available: it is a GPU's")
        else:
            stage.unfinished |= done.late
            stage.part(family, None if done.late else False, done.problem() or "nothing was measured", done.seconds)
        return None
    found = {"rows": rows_of(measured), "machine": {key: measured["context"][key] for key in MACHINE if key in measured["context"]},
             "seconds": done.seconds}
    errors = [row["name"] for row in found["rows"] if row["error"]]
    if not done.ok or done.late or errors or not found["rows"]:
        stage.part(family, False, ("errors: " + ", ".join(errors)[:200]) if errors else done.problem() or "no benchmark",
                   done.seconds)
    return found


def run(stage):
    program = stage.build / "bench" / "retort_bench"
    if not program.exists():
        stage.part("retort_bench", None, "not available: Google Benchmark was not found when it was built")
        return
    stage.scratch.mkdir(parents=True, exist_ok=True)
    kept, mark = Kept(stage), fingerprint([program])
    everything = []
    for family in FAMILIES:
        found = kept.get(family, mark)
        if found is None:
            found = measure(stage, program, family)
            if found is None:
                continue
        everything += found["rows"]
        stage.results["machine"] = found["machine"]
        if any(row["error"] for row in found["rows"]) or not found["rows"]:
            continue
        kept.put(family, mark, found)
        note = f"{len(found['rows'])} benchmarks"
        for key, word in (("share", "warm"), ("share_cold", "cold")):
            shares = sorted(row[key] for row in found["rows"] if key in row)
            if shares:
                note += f"; share of the floor {word} {shares[0]:.2f} to {shares[-1]:.2f}, median {shares[len(shares) // 2]:.2f}"
        stage.part(family, True, note, found["seconds"])
    stage.results["benchmarks"] = everything
    lab = stage.build / "bench" / "retort_lab"
    if stage.device == "cuda" and lab.exists():
        done = stage.run([lab], 120)
        stage.part_of("lab", done, "every version of bench/lab")
        stage.results["lab"] = done.output.splitlines()
    show(stage, [row for row in everything if "floor_us" in row and not row["error"]])


def show(stage, rows):
    """Where the most is to be gained at once: time above the floor, with cold operands where that was measured."""
    def time(row):
        return row.get("cold_us", row["us"])

    rows.sort(key=lambda row: row["floor_us"] - time(row))
    if rows:
        print(f"\n  machine: {stage.results['machine']}\n  furthest above their floor, in microseconds:")
    for row in rows[:SLOWEST]:
        passes = f", {row['passes']:.2f} passes, {row['share_moved']:.2f} of what they allow" if "passes" in row else ""
        print(f"    {row['name']:76} {time(row):10.1f}  floor {row['floor_us']:9.1f}  share {row['floor_us'] / time(row):.2f}{passes}")
