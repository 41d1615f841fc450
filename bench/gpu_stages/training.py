"""real trainings: the MNIST recipe and a CIFAR-10 epoch with --data-dir, else synthetic images; accuracies, seconds"""
import json
import shutil

from gpu_stages.runs import epochs


def data(stage):
    """The data sets that are in --data-dir, by name."""
    folder = stage.data_dir
    if folder is None:
        return {}
    found = {}
    for name, inner, file in (("mnist", "mnist", "train-images-idx3-ubyte"),
                              ("cifar10", "cifar-10-batches-bin", "data_batch_1.bin")):
        for place in (folder / inner, folder):
            if any(place.glob(file + "*")):
                found[name] = place
                break
    return found


def train(stage, name, arguments, limit):
    folder = stage.empty_folder(name.replace(", ", "-").replace(" ", "-"))
    done = stage.run([stage.retort(), "teach", *arguments, "--device", stage.device, "--out", folder], limit)
    lines = epochs(folder)
    note = ""
    if lines:
        last = lines[-1]
        stage.results[name] = {"epochs": len(lines), "accuracy": last["test_metric"], "timing": last["timing"],
                               "train_loss": [line["train_loss"] for line in lines]}
        note = f"{100 * last['test_metric']:.2f} % after {len(lines)} epochs, {last['timing']['compute']:.1f} s of training"
    stage.part_of(name, done, note)


def reproduce(stage, recipe, arguments):
    """The whole comparison; when the stage ends before it does, the next call goes on."""
    folder = stage.scratch / f"reproduce-{recipe}"
    if stage.again:
        shutil.rmtree(folder, ignore_errors=True)
    done = stage.run([stage.retort(), "reproduce", recipe, *arguments, "--device", stage.device, "--out", folder],
                     stage.left() - 15)
    table = folder / "table.json"
    name = f"reproduce {recipe}"
    # It ends with 0 when it is stopped, for it has kept all that it did.
    if table.exists() and done.ok and not done.late:
        stage.results[name] = json.loads(table.read_text())
        stage.part(name, True, "table in the JSON and in the log", done.seconds)
    elif done.late:
        ready = len(list(folder.glob("**/result.json")))
        stage.part(name, None, f"not finished yet: {ready} runs are; the same stage again goes on from there", done.seconds)
    else:
        stage.part_of(name, done)


def run(stage):
    found = data(stage)
    if stage.data_dir is not None and not found:
        stage.part("data", False, f"neither MNIST nor CIFAR-10 in {stage.data_dir}")
    precisions = ["fp32"] if stage.device == "cpu" else ["fp32", "tf32", "bf16"]
    if "cifar10" in found:
        images, what = f"cifar10:{found['cifar10']}", "CIFAR-10"
    else:
        images, what = "synthetic:train=5000,test=1000", "synthetic images"
    for precision in precisions:
        train(stage, f"{what}, resnet20, {precision}",
              ["--data", images, "--net", "resnet20", "--epochs", "1", "--batch", "128", "--precision", precision], 90)
    if "mnist" in found:
        train(stage, "MNIST, lenet5, fp32", ["--data", f"mnist:{found['mnist']}"], 120)
        reproduce(stage, "mnist", ["--data-dir", found["mnist"], "--seeds", "1"])
    else:
        reproduce(stage, "demo", [])
