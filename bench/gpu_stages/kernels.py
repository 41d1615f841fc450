"""every kernel at the sizes of real networks and the lab, against the copy bandwidth and matrix rate measured beside"""
import json

FAMILIES = ["convolution", "linear", "batch_norm", "pooling", "elementwise", "regulation", "distillation_loss", "squared_loss",
            "optimizer", "commit", "augmentation", "queue"]
SLOWEST = 12


def run(stage):
    program = stage.build / "bench" / "retort_bench"
    if not program.exists():
        stage.part("retort_bench", None, "not available: Google Benchmark was not found when it was built")
        return
    folder = stage.empty_folder("json")
    everything = []
    for family in FAMILIES:
        file = folder / f"{family}.json"
        done = stage.run([program, "--device", stage.device, f"--benchmark_filter=^{family}/", f"--benchmark_out={file}",
                          "--benchmark_out_format=json"], 180)
        try:
            measured = json.loads(file.read_text())
        except (OSError, ValueError):  # a benchmark that was stopped leaves half a file
            stage.part(family, False, done.problem() or "nothing was measured", done.seconds)
            continue
        stage.results["machine"] = {key: value for key, value in measured["context"].items()
                                    if key in ("device", "copy_bandwidth", "matrix_rate_f32", "matrix_rate_bf16")}
        rows = [{"name": each["name"], "us": in_microseconds(each), "floor_us": each.get("floor_us"), "share": each.get("share"),
                 "bytes_per_second": each.get("bytes_per_second"), "flops_per_second": each.get("flops_per_second"),
                 "error": each.get("error_message")} for each in measured["benchmarks"]]
        everything += rows
        errors = [row["name"] for row in rows if row["error"]]
        shares = sorted(row["share"] for row in rows if row["share"] is not None)
        note = f"{len(rows)} benchmarks"
        if shares:
            note += f", share of the floor {shares[0]:.2f} to {shares[-1]:.2f}, median {shares[len(shares) // 2]:.2f}"
        if errors:
            note += "; errors: " + ", ".join(errors)[:200]
        if done.ok and not done.late:
            stage.part(family, bool(rows) and not errors, note, done.seconds)
        else:
            stage.part_of(family, done)
    stage.results["benchmarks"] = everything
    lab = stage.build / "bench" / "retort_lab"
    if stage.device == "cuda" and lab.exists():
        done = stage.run([lab], 120)
        stage.part_of("lab", done, "every version of bench/lab")
        stage.results["lab"] = done.output.splitlines()
    # Where the most is to be gained at once: time above the floor.
    timed = [row for row in everything if row["floor_us"] is not None and not row["error"]]
    timed.sort(key=lambda row: row["floor_us"] - row["us"])
    if timed:
        print(f"\n  machine: {stage.results['machine']}\n  furthest above their floor, in microseconds:")
    for row in timed[:SLOWEST]:
        print(f"    {row['name']:70} {row['us']:10.1f}  floor {row['floor_us']:9.1f}  share {row['share']:.2f}")


def in_microseconds(benchmark):
    return benchmark.get("real_time", 0) * {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}[benchmark.get("time_unit", "ns")]
