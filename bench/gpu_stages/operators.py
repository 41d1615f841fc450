"""Kernels of Retort beside PyTorch's operators of the same names: who is faster, warm and cold."""


def without_suffix(name):
    """What Google Benchmark puts behind a name is not part of it."""
    return "/".join(word for word in name.split("/") if word not in ("real_time", "manual_time"))


def in_microseconds(benchmark):
    return benchmark.get("real_time", 0) * {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}[benchmark.get("time_unit", "ns")]


COUNTERS = ["cold_us", "floor_us", "share", "share_cold", "passes", "share_moved", "bytes_per_second", "flops_per_second"]


def row_of(benchmark):
    """A benchmark of Google's JSON with what the stages and the comparison need."""
    row = {"name": without_suffix(benchmark["name"]), "us": in_microseconds(benchmark), "error": benchmark.get("error_message")}
    return {**row, **{counter: benchmark[counter] for counter in COUNTERS if counter in benchmark}}


def rows_of(document):
    """From `retort_bench --benchmark_out`, or from the kernels stage's JSON."""
    if "benchmarks" in document:
        return [row_of(each) for each in document["benchmarks"]]
    return document["results"]["benchmarks"]


def compare(kernels, peers):
    """For each kernel that has a peer: the fastest peer's name, and the peer's time over Retort's, warm and cold."""
    by_name = {}
    for peer in peers:
        if "us" in peer:
            by_name.setdefault(peer["name"], []).append(peer)
    compared = []
    for kernel in kernels:
        others = by_name.get(kernel["name"])
        if kernel.get("error") or not others or not kernel["us"]:
            continue
        row = {"name": kernel["name"], "us": kernel["us"]}
        for key in ("us", "cold_us"):
            timed = [other for other in others if key in other]
            if key not in kernel or not timed:
                continue
            best = min(timed, key=lambda other: other[key])
            row["warm" if key == "us" else "cold"] = {"peer": best["peer"], "retort_us": kernel[key], "peer_us": best[key],
                                                      "ratio": round(best[key] / kernel[key], 3)}
        compared.append(row)
    return compared


def lines(compared, all_of_them=False):
    """A table, the worst first; only where some peer is faster, unless all are wanted."""
    def worst(row):
        return min(row[key]["ratio"] for key in ("warm", "cold") if key in row)

    shown = sorted((row for row in compared if all_of_them or worst(row) < 1), key=worst)
    width = max((len(row["name"]) for row in shown), default=0)
    out = []
    for row in shown:
        text = row["name"].ljust(width)
        for key in ("warm", "cold"):
            if key in row:
                one = row[key]
                text += f"  {key} {one['retort_us']:10.1f} us, {one['peer']:>8} {one['peer_us']:10.1f} us, {one['ratio']:6.2f}"
        out.append(text)
    faster = sum(worst(row) >= 1 for row in compared)
    out.append(f"{len(compared)} kernels have a peer; none is faster for {faster}, one is for {len(compared) - faster}")
    return out
