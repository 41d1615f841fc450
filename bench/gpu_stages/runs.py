"""Training runs of the program, and whether two of them are the same."""
import json
import struct

# The two that name seconds are compared without them.
FILES = ["last.safetensors", "best.safetensors", "significance.csv", "metrics.jsonl", "result.json"]


def objects(path):
    """The JSON objects of a file, without `timing`."""
    text = path.read_text()
    found = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
    for each in found:
        each.pop("timing", None)
    return found


def difference(one, other):
    """The first file in which two finished runs differ, or nothing."""
    for name in FILES:
        a, b = one / name, other / name
        if name == "significance.csv" and not a.exists() and not b.exists():
            continue
        if not a.exists() or not b.exists():
            return f"no {a if not a.exists() else b}"
        if name.startswith(("metrics", "result")):
            same = objects(a) == objects(b)
        else:
            same = a.read_bytes() == b.read_bytes()
        if not same:
            return f"{name} of {one.name} and {other.name} differ"
    return ""


def epochs(folder):
    """The objects of metrics.jsonl, seconds included."""
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def read_floats(path, tensor):
    """A float32 tensor of a safetensors file, as a flat tuple."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    entry = json.loads(data[8 : 8 + length])[tensor]
    begin, end = entry["data_offsets"]
    return struct.unpack_from(f"<{(end - begin) // 4}f", data, 8 + length + begin)


def relative_distance(values, reference):
    """|values - reference| / |reference|; what is not a number is infinitely far."""
    above = sum((a - b) ** 2 for a, b in zip(values, reference, strict=True))
    below = sum(b * b for b in reference)
    distance = (above / below) ** 0.5 if below > 0 else float("inf")
    return distance if distance == distance else float("inf")
