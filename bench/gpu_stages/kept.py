"""What parts of a stage have measured, kept beside the build, so that a stage that ran out of time goes on where it was."""
import hashlib
import json
import re
import shutil


def fingerprint(programs):
    """Of the files that measured: a part counts as done only while they are the same."""
    digest = hashlib.sha256()
    for program in programs:
        digest.update(program.read_bytes())
    return digest.hexdigest()[:16]


class Kept:
    def __init__(self, stage):
        self.folder = stage.scratch / "kept"
        if stage.again:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, name):
        return self.folder / (re.sub(r"[^\w.-]+", "-", name) + ".json")

    def get(self, name, mark):
        try:
            kept = json.loads(self.path(name).read_text())
        except (OSError, ValueError):  # not there, or half of it
            return None
        return kept["value"] if kept["mark"] == mark else None

    def put(self, name, mark, value):
        self.path(name).write_text(json.dumps({"mark": mark, "value": value}))
