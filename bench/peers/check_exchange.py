#!/usr/bin/env python3
"""Checks import and export of every network against PyTorch and ONNX Runtime.

For each network of networks.py: PyTorch's module with random parameters and statistics is saved, imported, and its logits on
random images compared with what `retort predict` computes; exported under each set of names, loaded again with strict=True and
compared bit for bit; exported to ONNX (as it is, folded, taking pixels, both), run at two batch sizes and compared.
Needs Python packages torch (1.13 or later), safetensors and onnxruntime. Exit status: 0 all agree, 1 something does not,
3 a package is missing (what could be checked was).
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
try:
    import numpy
    import safetensors.numpy
    import safetensors.torch
    import torch
except ImportError as error:
    print(f"not checked: {error}", file=sys.stderr)
    sys.exit(3)
try:
    import onnxruntime
except ImportError:
    onnxruntime = None
from networks import NETS, make_net

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
IMAGES = 12
# What Retort normalises CIFAR-100 and MNIST with, and what an imported teacher may have been trained with instead.
USUAL = {3: ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)), 1: ((0.1307,), (0.3081,))}
OTHER = {3: ((0.5, 0.45, 0.4), (0.25, 0.2, 0.3)), 1: ((0.5,), (0.25,))}


def random_net(name, names, seed):
    """With statistics that are not those of a fresh network, and as finite as a trained one's."""
    torch.manual_seed(seed)
    net = make_net(name, names)[0].eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(seed)
    return net


def write_data(folder, channels, pixels):
    """`pixels` (N, C, H, W) as the test images of CIFAR-100's or MNIST's files."""
    folder.mkdir()
    if channels == 3:
        for name in ("train.bin", "test.bin"):
            rows = numpy.concatenate([numpy.zeros((len(pixels), 2), numpy.uint8), pixels.reshape(len(pixels), -1)], 1)
            (folder / name).write_bytes(rows.tobytes())
        return f"cifar100:{folder}"
    for split in ("train", "t10k"):
        extents = numpy.array([len(pixels), *pixels.shape[2:]], ">u4").tobytes()
        (folder / f"{split}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + extents + pixels.tobytes())
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + extents[:4] + bytes(len(pixels)))
    return f"mnist:{folder}"


def normalised(pixels, constants):
    mean, std = (numpy.array(values, numpy.float32).reshape(1, -1, 1, 1) for values in constants)
    return (pixels.astype(numpy.float32) / 255 - mean) / std


def distance(values, reference):
    """|values - reference| / |reference|; what is not finite is infinitely far."""
    found = numpy.linalg.norm(values.astype(float) - reference) / numpy.linalg.norm(reference.astype(float))
    return found if found == found else float("inf")


class Checker:
    def __init__(self, args, folder):
        self.retort, self.folder, self.bound = args.retort, folder, args.bound
        self.failed = False
        self.data = {}

    def run(self, *words):
        done = subprocess.run([str(word) for word in (self.retort, *words)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"failed with status {done.returncode}: {' '.join(map(str, words))}\n{done.stderr}")

    def images(self, channels, side):
        if channels not in self.data:
            pixels = numpy.random.default_rng(channels).integers(0, 256, (IMAGES, channels, side, side), numpy.uint8)
            self.data[channels] = pixels, write_data(self.folder / f"data-{channels}", channels, pixels)
        return self.data[channels]

    def judge(self, what, far):
        if far <= self.bound:
            return f"{far:8.1e}"
        self.failed = True
        return f"{what}: {far:.1e} IS TOO FAR"

    def predicted(self, checkpoint, data):
        self.run("predict", "--checkpoint", checkpoint, "--data", data, "--out", self.folder / "logits.safetensors")
        return safetensors.numpy.load_file(self.folder / "logits.safetensors")["logits"]

    def onnx(self, checkpoint, options, inputs, reference):
        path = self.folder / "model.onnx"
        self.run("export", "--checkpoint", checkpoint, "--to", "onnx", "--out", path, *options)
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        whole, first = (session.run(["logits"], {"images": part})[0] for part in (inputs, inputs[:1]))
        return max(distance(whole, reference), distance(first, reference[:1]))

    def check(self, name, names, seed):
        channels, side, _, _ = NETS[name]
        pixels, data = self.images(channels, side)
        net = random_net(name, names, seed)
        state = net.state_dict()
        constants = OTHER[channels] if seed % 2 else USUAL[channels]
        inputs = normalised(pixels, constants)
        with torch.no_grad():
            reference = net(torch.from_numpy(inputs)).numpy()

        # Imported, from under a wrapper's prefix every third time.
        prefix = "module." if seed % 3 == 0 else ""
        file, teacher = self.folder / "pytorch.safetensors", self.folder / "teacher.safetensors"
        safetensors.torch.save_file({prefix + key: value for key, value in state.items()}, file)
        options = []
        for option, values in zip(("--mean", "--std"), constants):
            options += [option, ",".join(map(str, values))] if seed % 2 else []
        self.run("import", file, "--net", name, "--out", teacher, *options)
        row = [self.judge("import", distance(self.predicted(teacher, data), reference))]

        # Exported under the names it came with.
        back = self.folder / "back.safetensors"
        own = "retort" if name.startswith("lenet") else names
        self.run("export", "--checkpoint", teacher, "--to", "safetensors", "--names", own, "--out", back)
        again = make_net(name, names)[0].eval()
        loaded = safetensors.torch.load_file(back)
        again.load_state_dict(loaded, strict=True)
        same = all(torch.equal(state[key], value) for key, value in again.state_dict().items())
        self.failed |= not same
        row.append("same bits" if same else "OTHER BITS")

        if onnxruntime is None:
            return row
        if not seed % 2:
            options = [word for key, values in zip(("--mean", "--std"), constants) for word in (key, ",".join(map(str, values)))]
        else:
            options = []  # the checkpoint knows
        unit = pixels.astype(numpy.float32) / 255
        for fold in ([], ["--fold"]):
            row.append(self.judge("onnx", self.onnx(teacher, fold, inputs, reference)))
            row.append(self.judge("onnx of pixels", self.onnx(teacher, [*fold, "--normalise", *options], unit, reference)))
        return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", action="append", choices=NETS, help="may be repeated; default: all")
    parser.add_argument("--bound", type=float, default=1e-5, help="on |a - b| / |b| of the logits")
    parser.add_argument("--retort", default=ROOT / "build" / "distill" / "retort", metavar="PROGRAM")
    args = parser.parse_args()
    columns = ["import", "export", "onnx", "of pixels", "folded", "and of pixels"]
    print(f"{'net':<26}" + "  ".join(f"{column:>9}" for column in columns[: 6 if onnxruntime else 2]))
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(args, pathlib.Path(folder))
        cases = [(name, "repdistiller") for name in args.net or NETS]
        cases += [(name, names) for name, _ in cases if name == "resnet18" for names in ("mdistiller", "torchvision")]
        for seed, (name, names) in enumerate(cases, 1):
            row = checker.check(name, names, seed)
            label = name if name != "resnet18" else f"{name} ({names})"
            print(f"{label:<26}" + "  ".join(f"{cell:>9}" for cell in row), flush=True)
    if onnxruntime is None:
        print("ONNX is not checked: no package onnxruntime", file=sys.stderr)
    return 1 if checker.failed else 0 if onnxruntime else 3


if __name__ == "__main__":
    sys.exit(main())
