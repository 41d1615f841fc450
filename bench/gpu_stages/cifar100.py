"""CIFAR-100 (--data-dir): seconds of an epoch and of 240, compact epochs against the cost formula, accuracy at equal seconds"""
from gpu_stages.equal_seconds import compare, training_seconds
from gpu_stages.runs import epochs

# Teacher forward / student forward, wrn-40-2 -> wrn-16-2; the program itself knows better, this is for the formula's column.
RATIO = 328 / 101
SHARE = 0.3  # of samples that take part, drawn at random, where a compact epoch is timed
# What is to beat conventional distillation that was given the same seconds.
SETTINGS = {
    "regulated, compact, tau 0.6": ["--method", "regulated", "--regulation", "compact", "--scoring", "evaluation", "--confidence", 0.6],
    "hybrid, compact, tau 0.6": ["--method", "hybrid", "--regulation", "compact", "--scoring", "evaluation", "--confidence", 0.6],
    "regulated, compact, tau 0.9, rescore 3": ["--method", "regulated", "--regulation", "compact", "--scoring", "evaluation",
                                               "--confidence", 0.9, "--rescore", 3],
}


class Cifar100:
    def __init__(self, stage):
        self.stage, self.cpu = stage, stage.device == "cpu"
        self.folder = stage.scratch / "runs"
        if stage.again:
            stage.empty_folder("runs")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.epochs = 4 if self.cpu else 240
        self.data = self.find_data()
        self.teacher_net, self.net = ("resnet8", "resnet8") if self.cpu else ("wrn-40-2", "wrn-16-2")
        self.precision = "fp32" if self.cpu else "bf16"

    def find_data(self):
        if self.cpu:
            return "synthetic:train=400,test=100"
        for place in (self.stage.data_dir and self.stage.data_dir / "cifar-100-binary", self.stage.data_dir):
            if place and (place / "train.bin").exists():
                return f"cifar100:{place}"
        return None

    def run(self, name, command, net, arguments, number):
        """A run of so many epochs, begun or gone on with. Its folder once it is finished, else None."""
        out = self.folder / name.replace(", ", "-").replace(" ", "-")
        if (out / "result.json").exists():
            return out
        if (out / "config.toml").exists():
            words = [self.stage.retort(), command, "--resume", "--out", out]
        else:
            words = [self.stage.retort(), command, "--data", self.data, "--net", net, "--precision", self.precision, "--epochs",
                     number, "--device", self.stage.device, "--out", out, *arguments]
        if self.stage.left() < 20:
            self.stage.part(name, None, "no time left; the same stage again goes on")
            return None
        done = self.stage.run(words, self.stage.left() - 12)
        if (out / "result.json").exists():
            return out
        lines = len(epochs(out)) if out.exists() else 0
        if done.late:
            self.stage.part(name, None, f"{lines} of {number} epochs; the same stage again goes on", done.seconds)
        else:
            self.stage.part_of(name, done, "ended without a result")
            if done.ok:
                self.stage.part(name, False, "ended without a result")
        return None

    def distil(self, name, teacher, arguments, number):
        return self.run(name, "distill", self.net, ["--teacher", teacher, *arguments], number)


def usual(seconds):
    """Of an epoch once everything is recorded: the median of those after the second."""
    rest = sorted(seconds[2:] or seconds)
    return rest[len(rest) // 2]


def project(at, name, folder):
    every = [line["timing"]["compute"] + line["timing"]["data"] + line["timing"]["evaluation"] for line in epochs(folder)]
    whole = usual([after - before for before, after in zip([0, *every], every)])
    at.stage.results[name] = {"epoch_seconds": usual(training_seconds(folder)), "with_evaluation": whole, "projected_240": 240 * whole}
    at.stage.part(name, True, f"{1e3 * usual(training_seconds(folder)):.0f} ms an epoch of training; "
                              f"240 epochs with evaluation {240 * whole:.0f} s")


def speed(at):
    """Projections from five epochs, and what a compact epoch costs. Needs any teacher."""
    few = 3 if at.cpu else 5
    teacher = at.run("teacher, few epochs", "teach", at.teacher_net, ["--regulation", "mask"], few)
    if not teacher:
        return
    project(at, "teacher from scratch", teacher)
    kd = at.distil("kd, few epochs", teacher, ["--method", "kd"], few)
    if not kd:
        return
    project(at, "kd", kd)
    conventional = usual(training_seconds(kd))
    for name, rescore in (("compact", 1), ("compact, rescore 5", 5)):
        folder = at.distil(f"{name}, few epochs", teacher,
                           ["--method", "regulated", "--regulation", "compact", "--scoring", "evaluation", "--mask", "random",
                            "--random-share", SHARE, "--rescore", rescore], few)
        if not folder:
            return
        seconds = training_seconds(folder)
        measured = (usual(seconds) if rescore == 1 else sum(seconds[1:]) / len(seconds[1:])) / conventional
        scored = 1 if rescore == 1 else 0  # the epochs that are averaged are all recalled ones
        formula = (scored + SHARE * (3 + RATIO)) / (3 + RATIO)
        at.stage.results[name] = {"share": SHARE, "cost": measured, "formula": formula}
        at.stage.part(f"{name} at share {SHARE}", True, f"costs {measured:.3f} of a conventional epoch, by the formula {formula:.3f}")


def accuracy(at):
    """Full lengths; a setting's control is conventional distillation with its schedule shortened to the same seconds."""
    teacher = at.run("teacher", "teach", at.teacher_net, ["--regulation", "mask"], at.epochs)
    if not teacher:
        return
    rows = {}
    for name, row in compare(SETTINGS, ["--method", "kd"], lambda name, words, number: at.distil(name, teacher, words, number), at.epochs):
        rows[name] = row
        if "control" in row:
            at.stage.part(name, True, f"{100 * row['accuracy']:.2f} % in {row['seconds_share']:.2f} of the seconds; "
                                      f"conventional in the same {100 * row['control']['accuracy']:.2f} %")
    at.stage.results["equal seconds"] = rows


def run(stage):
    at = Cifar100(stage)
    if at.data is None:
        stage.part("data", None, "not available: no cifar-100-binary/ in --data-dir")
        return
    speed(at)
    accuracy(at)
