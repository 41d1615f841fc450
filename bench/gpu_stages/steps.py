"""training steps beside PyTorch's on the same GPU: four networks in fp32, TF32 and bf16 (bench/compare_with_pytorch)"""
import json

from gpu_stages import machine

NETS = ["resnet20", "wrn-16-2", "resnet8x4", "lenet5"]
BATCH = 128


def run(stage):
    program = stage.build / "bench" / "retort_step"
    cpu = stage.device == "cpu"
    folder = stage.empty_folder("json")
    rows = [["", "Retort images/s", "PyTorch images/s", "ratio", "Retort MiB", "PyTorch MiB"]]
    for precision in ["fp32"] if cpu else ["fp32", "tf32", "bf16"]:
        for net in NETS:
            file = folder / f"{net}-{precision}.json"
            # PyTorch: channels last, eager, autotuned convolutions, SGD in one kernel.
            peer = "--warm-up 0.2 --block-seconds 0.1 --blocks 3" if cpu else "--warm-up 2 --block-seconds 0.3 --sgd fused"
            retort = "--steps 2 --blocks 3" if cpu else "--steps 100 --blocks 7"
            done = stage.run([machine.ROOT / "bench" / "compare_with_pytorch", "--device", stage.device, "--precision", precision,
                              "--net", net, "--batch", 16 if cpu else BATCH, "--rounds", 1 if cpu else 2, "--retort", program,
                              "--retort-args", retort, "--peer-args", peer, "--out", file], 120)
            name = f"{net}, {precision}"
            if not file.exists():
                stage.part_of(name, done)
                continue
            compared = json.loads(file.read_text())
            row = compared["compared"][0]
            stage.results[name] = {**row, "versions": compared["versions"], "measured": compared["measured"][net]}
            sides = [row.get(side) for side in ("retort", "pytorch")]
            if sides[1] is None:  # compare_with_pytorch ends with 3
                stage.part(name, None, f"{sides[0]['images_per_second']:,.0f} images/s; no PyTorch here", done.seconds)
                continue
            rows.append([name, *(f"{side['images_per_second']:,.0f}" for side in sides), f"{row['ratio']:.2f}",
                         *(f"{side['peak_memory_mib']:,.0f}" for side in sides)])
            stage.part_of(name, done, f"{row['ratio']:.2f} of PyTorch's rate")
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(["", row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:]))]))
