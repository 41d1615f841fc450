"""The networks of the comparison, written plainly in PyTorch from their published definitions.

LeNet-5 as data-free distillation work uses it on MNIST; resnet and wide resnet as RepDistiller has them for CIFAR-100. Their
parameter counts are those that `retort info --nets --json` prints, and are checked whenever one is made.
"""
import sys

# input channels, side, classes, parameters
NETS = {
    "lenet5": (1, 28, 10, 61_706),
    "resnet20": (3, 32, 100, 278_324),
    "resnet8x4": (3, 32, 100, 1_233_540),
    "resnet32x4": (3, 32, 100, 7_433_860),
    "wrn-16-2": (3, 32, 100, 703_284),
    "wrn-40-2": (3, 32, 100, 2_255_156),
}
WIDTHS = {"resnet20": (16, 16, 32, 64), "resnet8x4": (32, 64, 128, 256), "resnet32x4": (32, 64, 128, 256)}


def make_net(name):
    """The network and how many parameters it has."""
    # Imported here: the parent of several nets stays small, for a child's ru_maxrss starts at its parent's.
    import torch
    from torch import nn
    import torch.nn.functional as F

    classes = NETS[name][2]

    def conv3(inputs, outputs, stride=1):
        return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)

    class BasicBlock(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1, self.bn1 = conv3(inputs, outputs, stride), nn.BatchNorm2d(outputs)
            self.conv2, self.bn2 = conv3(outputs, outputs), nn.BatchNorm2d(outputs)
            self.downsample = None
            if stride != 1 or inputs != outputs:
                self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            y = F.relu(self.bn1(self.conv1(x)), inplace=True)
            y = self.bn2(self.conv2(y))
            y += x if self.downsample is None else self.downsample(x)
            return F.relu(y, inplace=True)

    class ResNet(nn.Module):
        def __init__(self, depth, widths):
            super().__init__()
            self.conv1, self.bn1 = conv3(3, widths[0]), nn.BatchNorm2d(widths[0])
            blocks, inputs = [], widths[0]
            for stage, width in enumerate(widths[1:]):
                for i in range((depth - 2) // 6):
                    blocks.append(BasicBlock(inputs, width, 2 if stage > 0 and i == 0 else 1))
                    inputs = width
            self.blocks = nn.Sequential(*blocks)
            self.fc = nn.Linear(inputs, classes)
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

        def forward(self, x):
            x = self.blocks(F.relu(self.bn1(self.conv1(x)), inplace=True))
            return self.fc(torch.flatten(F.avg_pool2d(x, 8), 1))

    class PreActivationBlock(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv3(inputs, outputs, stride)
            self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv3(outputs, outputs)
            self.shortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

        def forward(self, x):
            y = F.relu(self.bn1(x), inplace=True)
            if self.shortcut is not None:
                x = self.shortcut(y)
            y = F.relu(self.bn2(self.conv1(y)), inplace=True)
            return self.conv2(y).add_(x)

    class WideResNet(nn.Module):
        def __init__(self, depth, widen):
            super().__init__()
            self.conv1 = conv3(3, 16)
            blocks, inputs = [], 16
            for stage, width in enumerate((16 * widen, 32 * widen, 64 * widen)):
                for i in range((depth - 4) // 6):
                    blocks.append(PreActivationBlock(inputs, width, 2 if stage > 0 and i == 0 else 1))
                    inputs = width
            self.blocks = nn.Sequential(*blocks)
            self.bn1, self.fc = nn.BatchNorm2d(inputs), nn.Linear(inputs, classes)
            for m in self.modules():
                if isinstance(m, nn.Conv2d):
                    nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(self.fc.bias)

        def forward(self, x):
            x = F.relu(self.bn1(self.blocks(self.conv1(x))), inplace=True)
            return self.fc(torch.flatten(F.avg_pool2d(x, 8), 1))

    def relu():
        return nn.ReLU(inplace=True)

    if name == "lenet5":
        net = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), relu(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5), relu(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), relu(), nn.Linear(120, 84), relu(), nn.Linear(84, classes))
    elif name in WIDTHS:
        net = ResNet(int(name.removeprefix("resnet").removesuffix("x4")), WIDTHS[name])
    else:
        _, depth, widen = name.split("-")
        net = WideResNet(int(depth), int(widen))
    count = sum(p.numel() for p in net.parameters())
    if count != NETS[name][3]:
        sys.exit(f"{name} has {count} parameters, not {NETS[name][3]}")
    return net, count
