"""The networks of `retort info --nets`, written plainly in PyTorch from their published definitions.

LeNet-5 as data-free distillation work uses it on MNIST; resnet, wide resnet and vgg as RepDistiller and mdistiller have them for
CIFAR-100, under the same state-dict names; resnet18 in both of its spellings. Their parameter counts are those that
`retort info --nets --json` prints, and are checked whenever one is made.
"""
import sys

# input channels, side, classes, parameters
NETS = {
    "lenet5": (1, 28, 10, 61_706),
    "lenet5-half": (1, 28, 10, 35_820),
    "resnet8": (3, 32, 100, 83_892),
    "resnet14": (3, 32, 100, 181_108),
    "resnet18": (3, 32, 100, 11_220_132),
    "resnet20": (3, 32, 100, 278_324),
    "resnet32": (3, 32, 100, 472_756),
    "resnet44": (3, 32, 100, 667_188),
    "resnet56": (3, 32, 100, 861_620),
    "resnet110": (3, 32, 100, 1_736_564),
    "resnet8x4": (3, 32, 100, 1_233_540),
    "resnet32x4": (3, 32, 100, 7_433_860),
    "wrn-16-1": (3, 32, 100, 180_916),
    "wrn-16-2": (3, 32, 100, 703_284),
    "wrn-40-1": (3, 32, 100, 569_780),
    "wrn-40-2": (3, 32, 100, 2_255_156),
    "vgg8": (3, 32, 100, 3_965_028),
    "vgg13": (3, 32, 100, 9_462_180),
}
TIMED = ["lenet5", "resnet20", "resnet8x4", "resnet32x4", "wrn-16-2", "wrn-40-2"]


def make_net(name, names="repdistiller"):
    """The network and how many parameters it has. `names` is repdistiller, mdistiller or torchvision: resnet18 differs."""
    # Imported here: the parent of several nets stays small, for a child's ru_maxrss starts at its parent's.
    from collections import OrderedDict
    import torch
    from torch import nn
    import torch.nn.functional as F

    channels, _, classes, parameters = NETS[name]
    # What resnet18 calls the shortcut where a stage begins, and the last layer.
    shortcut, head = ("shortcut", "linear") if name == "resnet18" and names != "torchvision" else ("downsample", "fc")

    def conv3(inputs, outputs, stride=1):
        return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)

    class BasicBlock(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1, self.bn1 = conv3(inputs, outputs, stride), nn.BatchNorm2d(outputs)
            self.conv2, self.bn2 = conv3(outputs, outputs), nn.BatchNorm2d(outputs)
            self.identity = stride == 1 and inputs == outputs
            if not self.identity:
                projection = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
                self.add_module(shortcut, projection)

        def forward(self, x):
            y = F.relu(self.bn1(self.conv1(x)), inplace=True)
            y = self.bn2(self.conv2(y))
            y += x if self.identity else getattr(self, shortcut)(x)
            return F.relu(y, inplace=True)

    def stage(block, count, inputs, outputs, stride):
        return nn.Sequential(*(block(outputs if i else inputs, outputs, 1 if i else stride) for i in range(count)))

    class ResNet(nn.Module):
        def __init__(self, stem, widths, count):
            super().__init__()
            self.conv1, self.bn1 = conv3(channels, stem), nn.BatchNorm2d(stem)
            self.stages = []
            inputs = stem
            for i, width in enumerate(widths):
                self.stages.append(f"layer{i + 1}")
                self.add_module(self.stages[-1], stage(BasicBlock, count, inputs, width, 2 if i else 1))
                inputs = width
            self.add_module(head, nn.Linear(inputs, classes))
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

        def forward(self, x):
            x = F.relu(self.bn1(self.conv1(x)), inplace=True)
            for name in self.stages:
                x = getattr(self, name)(x)
            return getattr(self, head)(torch.flatten(F.avg_pool2d(x, x.shape[2]), 1))

    class PreActivationBlock(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv3(inputs, outputs, stride)
            self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv3(outputs, outputs)
            self.convShortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

        def forward(self, x):
            y = F.relu(self.bn1(x), inplace=True)
            if self.convShortcut is not None:
                x = self.convShortcut(y)
            y = F.relu(self.bn2(self.conv1(y)), inplace=True)
            return self.conv2(y).add_(x)

    class WideResNet(nn.Module):
        def __init__(self, depth, widen):
            super().__init__()
            self.conv1 = conv3(channels, 16)
            inputs = 16
            for i in range(3):
                width = (16 << i) * widen
                blocks = stage(PreActivationBlock, (depth - 4) // 6, inputs, width, 2 if i else 1)
                self.add_module(f"block{i + 1}", nn.Sequential(OrderedDict(layer=blocks)))
                inputs = width
            self.bn1, self.fc = nn.BatchNorm2d(inputs), nn.Linear(inputs, classes)
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(self.fc.bias)

        def forward(self, x):
            x = self.block3(self.block2(self.block1(self.conv1(x))))
            x = F.relu(self.bn1(x), inplace=True)
            return self.fc(torch.flatten(F.avg_pool2d(x, 8), 1))

    class Vgg(nn.Module):
        def __init__(self, count):
            super().__init__()
            inputs = channels
            for i, width in enumerate((64, 128, 256, 512, 512)):
                layers = []
                for _ in range(count):
                    layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                    inputs = width
                self.add_module(f"block{i}", nn.Sequential(*layers))
            self.classifier = nn.Linear(inputs, classes)
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
                    nn.init.zeros_(m.bias)
            nn.init.normal_(self.classifier.weight, 0, 0.01)
            nn.init.zeros_(self.classifier.bias)

        def forward(self, x):
            for block in (self.block0, self.block1, self.block2):
                x = F.max_pool2d(block(x), 2)
            x = self.block4(self.block3(x))
            return self.classifier(torch.flatten(F.avg_pool2d(x, x.shape[2]), 1))

    def relu():
        return nn.ReLU(inplace=True)

    def lenet(first, second):
        return nn.Sequential(OrderedDict(
            conv1=nn.Conv2d(channels, first, 5, padding=2), relu1=relu(), pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(first, second, 5), relu2=relu(), pool2=nn.MaxPool2d(2), flatten=nn.Flatten(),
            fc1=nn.Linear(25 * second, 120), relu3=relu(), fc2=nn.Linear(120, 84), relu4=relu(), fc3=nn.Linear(84, classes)))

    if name.startswith("lenet5"):
        net = lenet(6, 16) if name == "lenet5" else lenet(3, 8)
    elif name == "resnet18":
        net = ResNet(64, (64, 128, 256, 512), 2)
    elif name.startswith("resnet"):
        widths = (32, 64, 128, 256) if name.endswith("x4") else (16, 16, 32, 64)
        net = ResNet(widths[0], widths[1:], (int(name.removeprefix("resnet").removesuffix("x4")) - 2) // 6)
    elif name.startswith("vgg"):
        net = Vgg({"vgg8": 1, "vgg13": 2}[name])
    else:
        _, depth, widen = name.split("-")
        net = WideResNet(int(depth), int(widen))
    count = sum(p.numel() for p in net.parameters())
    if count != parameters:
        sys.exit(f"{name} has {count} parameters, not {parameters}")
    return net, count
