"""What PyTorch does where Retort has a kernel: for a benchmark's name (family/pass/shape/dtype) a function of no arguments that
does the same work with PyTorch's operators, on operands of the same sizes and types, images in channels_last.

A maker returns {peer: function}. Peers: eager; for batch norm also cudnn and native, whichever PyTorch would choose itself;
compile, where fusing can help. Convolutions and linear layers are calls of cuDNN and cuBLAS, which a compiler leaves alone.
"""
import math
import re


class Operands:
    def __init__(self, torch, device):
        self.torch, self.device = torch, device

    def type(self, name):
        return {"f32": self.torch.float32, "bf16": self.torch.bfloat16}[name]

    def floats(self, dtype, *shape, low=-1.0, high=1.0):
        return (self.torch.rand(shape, device=self.device, dtype=self.torch.float32) * (high - low) + low).to(dtype)

    def image(self, dtype, n, height, width, channels):
        flat = self.floats(dtype, n, height, width, channels)
        return flat.permute(0, 3, 1, 2)  # NCHW by name, NHWC in memory

    def integers(self, n, below):
        return self.torch.randint(below, (n,), device=self.device)


def with_compiled(torch, eager, compiled=None):
    """Both peers of one function; torch.compile where this PyTorch has it."""
    peers = {"eager": eager}
    if hasattr(torch, "compile"):
        peers["compile"] = compiled or torch.compile(eager, dynamic=False)
    return peers


def gradients(torch, forward, inputs, dy):
    """A function that runs only the backward pass of forward(*inputs), which the first call does before."""
    out = None

    def backward():
        nonlocal out
        if out is None:
            out = forward(*inputs)
        return torch.autograd.grad(out, inputs, dy() if callable(dy) else dy, retain_graph=True)
    return backward


def compiled_gradients(torch, forward, inputs, dy):
    """The same by torch.compile, where there is one."""
    if not hasattr(torch, "compile"):
        return None
    from torch._functorch import config
    config.donated_buffer = False  # the graph is kept for the next repetition
    return gradients(torch, torch.compile(forward, dynamic=False), inputs, dy)


def batch_norm(o, which, shape, dtype):
    torch, words = o.torch, shape.split("-")
    rows, channels = map(int, re.search(r"(\d+)-rows-of-(\d+)", shape).groups())
    side = math.isqrt(rows // 128)
    n, height, width = (128, side, side) if 128 * side * side == rows else (1, rows, 1)
    training, has = "training" in words, set(words)
    image = lambda: o.image(o.type(dtype), n, height, width, channels)
    x, other = image(), image() if has & {"residual", "x2"} else None
    weight, bias = o.floats(torch.float32, channels, low=0.5, high=1.5), o.floats(torch.float32, channels)
    mean, var = o.floats(torch.float32, channels), o.floats(torch.float32, channels, low=0.5, high=2)
    F = torch.nn.functional

    def native(x, w, b):
        return torch.native_batch_norm(x, w, b, mean, var, training, 0.1, 1e-5)[0]

    def cudnn(x, w, b):
        return torch.ops.aten.cudnn_batch_norm(x, w, b, mean, var, training, 0.1, 1e-5)[0]

    def chosen(x, w, b):
        return F.batch_norm(x, mean, var, w, b, training, 0.1, 1e-5)

    def layer(norm):
        def forward(x, w, b, other=None):
            if "x2" in has:
                x, other = x + other, None
            y = norm(x, w, b)
            if other is not None:
                y = y + other if y.requires_grad else y.add_(other)
            return F.relu(y, inplace=True) if "relu" in has else y
        return forward

    inputs = (x, weight, bias) + ((other,) if other is not None else ())
    kinds = {"eager": chosen, "native": native}
    # cuDNN has no evaluation mode that is faster; PyTorch calls its own there.
    if o.device == "cuda" and training:
        kinds["cudnn"] = cudnn
    if which == "forward":
        def run(norm):
            forward = layer(norm)

            def without_gradients():
                with torch.no_grad():
                    return forward(*inputs)
            return without_gradients
        peers = {name: run(norm) for name, norm in kinds.items()}
        if hasattr(torch, "compile"):
            peers["compile"] = torch.compile(peers["eager"], dynamic=False)
        return peers
    dy = image()
    parts = [image() for _ in range(("dy2" in has) + ("addend" in has))]
    incoming = (lambda: dy + parts[0]) if "dy2" in has else dy
    wanted = tuple(each.requires_grad_() for each in inputs)

    def run(norm, compiled=False):
        backward = (compiled_gradients if compiled else gradients)(torch, layer(norm), wanted, incoming)
        if "addend" not in has:
            return backward
        return lambda: backward()[0] + parts[-1]
    peers = {name: run(norm) for name, norm in kinds.items()}
    if hasattr(torch, "compile"):
        peers["compile"] = run(chosen, compiled=True)
    return peers


def convolution(o, which, shape, dtype):
    torch = o.torch
    n, height, width, inputs, outputs, kernel_h, kernel_w, stride, padding = map(
        int, re.search(r"n(\d+)-(\d+)x(\d+)x(\d+)-to-(\d+)-k(\d+)x(\d+)-s(\d+)-p(\d+)", shape).groups())
    bias = shape.endswith("-bias")
    x = o.image(o.type(dtype), n, height, width, inputs)
    weight = o.image(o.type(dtype), outputs, kernel_h, kernel_w, inputs)
    b = o.floats(o.type(dtype), outputs) if bias else None
    if which == "forward":
        return {"eager": lambda: torch.nn.functional.conv2d(x, weight, b, stride, padding)}
    dy = torch.nn.functional.conv2d(x, weight, b, stride, padding)
    mask = [True, False, False] if which == "backward_data" else [False, True, bias]
    sizes = [outputs] if bias else None
    return {"eager": lambda: torch.ops.aten.convolution_backward(
        dy, x, weight, sizes, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, mask)}


def linear(o, which, shape, dtype):
    torch = o.torch
    n, inputs, outputs = map(int, re.search(r"n(\d+)-(\d+)-to-(\d+)", shape).groups())
    bias = shape.endswith("-bias")
    x, weight, dy = (o.floats(torch.float32, *s) for s in ((n, inputs), (outputs, inputs), (n, outputs)))
    b = o.floats(torch.float32, outputs) if bias else None
    return {"eager": {"forward": lambda: torch.nn.functional.linear(x, weight, b), "backward_data": lambda: dy @ weight,
                      "backward_weight": lambda: (dy.t() @ x, dy.sum(0) if bias else None)}[which]}


def elementwise(o, which, shape, dtype):
    torch = o.torch
    if which == "dropout":
        rows, width, p = re.search(r"(\d+)-rows-of-(\d+)-p-([\d.]+)", shape).groups()
        x = o.floats(o.type(dtype), int(rows), int(width))
        return with_compiled(torch, lambda: torch.nn.functional.dropout(x, float(p), True))
    n = int(shape.split("-")[-1])
    a, b = o.floats(o.type(dtype), n), o.floats(o.type(dtype), n)
    to = o.type("bf16" if dtype == "f32" else "f32")
    return with_compiled(torch, {
        "relu_forward": lambda: torch.relu(a), "add": lambda: a + b, "convert": lambda: a.to(to),
        "relu_backward": lambda: torch.ops.aten.threshold_backward(a, b, 0)}[which])


def pooling(o, which, shape, dtype):
    torch, F = o.torch, o.torch.nn.functional
    if which.startswith("global"):
        n, positions, channels = map(int, re.search(r"n(\d+)-(\d+)-positions-of-(\d+)", shape).groups())
        side = math.isqrt(positions)
        x = o.image(o.type(dtype), n, side, side, channels)
        pool = lambda x: x.float().mean((2, 3))
    else:
        n, height, width, channels, kernel, stride = map(
            int, re.search(r"n(\d+)-(\d+)x(\d+)x(\d+)-k(\d+)-s(\d+)", shape).groups())
        x = o.image(o.type(dtype), n, height, width, channels)
        pool = lambda x: (F.max_pool2d if which.startswith("max") else F.avg_pool2d)(x, kernel, stride)
    if which.endswith("forward"):
        return with_compiled(torch, lambda: pool(x))
    dy = torch.rand_like(pool(x))
    inputs = (x.requires_grad_(),)
    return with_compiled(torch, gradients(torch, pool, inputs, dy), compiled_gradients(torch, pool, inputs, dy))


def loss(o, which, shape, dtype, distils):
    torch, F = o.torch, o.torch.nn.functional
    rows, classes = map(int, re.search(r"(\d+)-rows-of-(\d+)", shape).groups())
    if which == "divide_by_participants":
        return {}
    student, teacher = (o.floats(torch.float32, rows, classes, low=-4, high=4) for _ in range(2))
    labels = o.integers(rows, classes)
    scoring, regulated = shape.endswith("-scoring"), "-regulated" in shape

    def row_losses(z):
        each = F.cross_entropy(z, labels, reduction="none")
        if distils:
            kl = F.kl_div(F.log_softmax(z / 4, 1), F.softmax(teacher / 4, 1), reduction="none").sum(1)
            each = 0.1 * each + 0.9 * 16 * kl
        return each

    def participates(z):
        top, best = F.softmax(z, 1).max(1)
        return (best != labels) | (top < 0.5)

    def step(z):
        each = row_losses(z)
        if scoring:
            return each, participates(z)
        total = (each * participates(z.detach()) if regulated else each).sum() / rows
        return each, torch.autograd.grad(total, z)[0]

    if scoring:
        return with_compiled(torch, lambda: step(student))
    student.requires_grad_()

    def forward(z):
        return (row_losses(z) * participates(z.detach()) if regulated else row_losses(z)).sum() / rows
    compiled = None
    if hasattr(torch, "compile"):
        fast = torch.compile(forward, dynamic=False)
        compiled = lambda: torch.autograd.grad(fast(student), student)
    return with_compiled(torch, lambda: step(student), compiled)


def optimizer(o, which, shape, dtype):
    torch = o.torch
    if which == "judge_step":
        return {}
    n = int(re.search(r"(?:^|-)(\d{3,})(?:-nesterov|$)", shape)[1])
    gradient = o.floats(o.type(dtype), n)
    if which == "gradient_norm":
        return with_compiled(torch, lambda: torch.linalg.vector_norm(gradient, dtype=torch.float32))
    weight = o.floats(torch.float32, n).requires_grad_()
    kind = {"fused": True} if o.device == "cuda" else {"foreach": True}
    if which == "sgd":
        made = torch.optim.SGD([weight], lr=1e-6, momentum=0.9, nesterov=True, weight_decay=5e-4, **kind)
    else:
        made = torch.optim.AdamW([weight], lr=1e-6, **kind)
    copy = torch.empty_like(weight, dtype=torch.bfloat16) if shape.endswith("-copy") else None
    weight.grad = gradient.float()

    def step():
        if dtype == "bf16":
            weight.grad.copy_(gradient)  # PyTorch's optimizers want it in the weights' type
        made.step()
        if copy is not None:
            with torch.no_grad():
                copy.copy_(weight)
    return {"eager": step}


def augmentation(o, which, shape, dtype):
    torch = o.torch
    if which == "gather_floats":
        rows, width = map(int, re.search(r"(\d+)-rows-of-(\d+)", shape).groups())
        table, samples = o.floats(torch.float32, 50000, width), o.integers(rows, 50000)
        return {"eager": lambda: table[samples]}
    n, size, channels = (int(w) for w in re.search(r"n(\d+)-(\d+)x\d+x(\d+)", shape).groups())
    padding = int((re.search(r"pad-(\d+)", shape) or [0, 0])[1])
    count = max(10000, n)
    images = torch.randint(256, (count, size, size, channels), device=o.device, dtype=torch.uint8)
    labels = o.integers(count, 10)
    samples, at = o.integers(n, count), torch.arange(size, device=o.device)
    scale, shift = o.floats(torch.float32, channels, low=0.01, high=0.02), o.floats(torch.float32, channels)

    def plain():
        return (images[samples].float() * scale + shift).to(o.type(dtype)), labels[samples]

    def crop_and_flip():
        draw = torch.randint(2 * padding + 1, (2, n, 1), device=o.device) - padding
        rows, columns = at + draw[0], at + draw[1]
        columns = torch.where(torch.rand((n, 1), device=o.device) < 0.5, columns, columns.flip(1))
        inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
        pixels = images[samples[:, None, None], rows.clamp(0, size - 1)[:, :, None], columns.clamp(0, size - 1)[:, None, :]]
        return ((pixels * inside[..., None]).float() * scale + shift).to(o.type(dtype)), labels[samples]
    return with_compiled(torch, crop_and_flip if padding else plain)


FAMILIES = {
    "batch_norm": batch_norm, "convolution": convolution, "linear": linear, "elementwise": elementwise, "pooling": pooling,
    "regulation": lambda *a: loss(*a, distils=False), "distillation_loss": lambda *a: loss(*a, distils=True),
    "optimizer": optimizer, "augmentation": augmentation}


def peers_of(torch, device, name):
    """{peer: function} for a benchmark; empty where PyTorch has nothing of the kind."""
    family, which, shape, *dtype = name.split("/")
    make = FAMILIES.get(family)
    return make(Operands(torch, device), which, shape, dtype[0] if dtype else "") if make else {}
