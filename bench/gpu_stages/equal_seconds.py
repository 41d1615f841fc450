"""A regulated setting against conventional training whose schedule is shortened to the same seconds."""
import json

from gpu_stages.runs import epochs


def training_seconds(folder):
    """Of each epoch, without evaluation."""
    totals = [line["timing"]["compute"] + line["timing"]["data"] for line in epochs(folder)]
    return [after - before for before, after in zip([0, *totals], totals)]


def result(folder):
    return json.loads((folder / "result.json").read_text())


def length_of(share, number):
    """Epochs of the control; fractions of an epoch count."""
    return max(0.1, round(share * number, 2))


def compare(settings, conventional, train, number):
    """`train(name, options, epochs)` gives the folder of a finished run, or None: then this stops too.

    `conventional` and the values of `settings` are options. A row for each setting: its share of the full schedule's seconds,
    its accuracy and its control's, and the share of the seconds that the control took.
    """
    full = train("conventional", conventional, number)
    if not full:
        return
    whole = sum(training_seconds(full))
    yield "conventional", {"seconds": whole, "seconds_share": 1.0, "accuracy": result(full)["last"], "epochs": number}
    for name, options in settings.items():
        folder = train(name, options, number)
        if not folder:
            return
        seconds = sum(training_seconds(folder))
        length = length_of(seconds / whole, number)
        control = train(f"control of {name}", conventional, length)
        if not control:
            return
        yield name, {"seconds": seconds, "seconds_share": seconds / whole, "accuracy": result(folder)["last"], "epochs": number,
                     "participation": result(folder)["participation"],
                     "control": {"seconds": sum(training_seconds(control)), "accuracy": result(control)["last"], "epochs": length}}
