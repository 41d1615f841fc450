"""One stage: runs commands under time limits, keeps their output in a log, and what came of them in a JSON file."""
import datetime
import json
import os
import shutil
import signal
import subprocess
import time

from gpu_stages import machine


class Done:
    def __init__(self, status, output, seconds, late):
        self.status, self.output, self.seconds, self.late = status, output, seconds, late

    @property
    def ok(self):
        return self.status == 0

    def last_line(self):
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else "no output"

    def problem(self):
        """Why it is not ok, in one line."""
        if self.late and self.status is None:
            return self.output
        if self.late:
            return f"not done after {self.seconds:.0f} s"
        return "" if self.ok else f"status {self.status}: {self.last_line()[:150]}"


class Stage:
    def __init__(self, name, args, gpu, limit):
        self.name, self.build, self.data_dir, self.again = name, args.build, args.data_dir, args.again
        self.gpu, self.device = gpu, machine.device()
        self.begun, self.limit = time.monotonic(), limit
        self.parts, self.results = [], {}
        self.unfinished = False  # parts are left, with which the next call goes on
        self.out = args.out
        self.out.mkdir(parents=True, exist_ok=True)
        self.log = open(self.out / f"{name}.log", "wb")
        # What runs write stays with the build, so that the results are two files a stage.
        self.scratch = self.build / "on_gpu" / name

    def retort(self):
        return self.build / "distill" / "retort"

    def empty_folder(self, name):
        folder = self.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def left(self):
        return self.limit - (time.monotonic() - self.begun)

    def run(self, command, limit, env=None):
        """A command, for at most `limit` seconds and what is left of the stage's. Its end, with the whole output."""
        command = [str(word) for word in command]
        limit = min(limit, self.left())
        self.log.write(f"\n$ {' '.join(f'{k}={v}' for k, v in (env or {}).items())} {' '.join(command)}\n".encode())
        self.log.flush()
        if limit < 2:
            return Done(None, "no time left in this stage", 0, True)
        start, begun = self.log.tell(), time.monotonic()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
                                       cwd=machine.ROOT, env={**os.environ, **(env or {})}, start_new_session=True)
        except OSError as error:
            return Done(127, str(error), 0, False)
        late = False
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            late = True
        except BaseException:
            end(process)
            raise
        if late:
            end(process)
        with open(self.log.name, "rb") as log:
            log.seek(start)
            output = log.read().decode(errors="replace")
        self.log.seek(0, os.SEEK_END)
        return Done(process.returncode, output, time.monotonic() - begun, late)

    def part(self, name, ok, note="", seconds=None, **more):
        """What came of one part; ok None: neither, as where a tool is not available."""
        self.parts.append({"part": name, "ok": ok, "note": note, "seconds": seconds and round(seconds, 2), **more})
        print(f"  {name}: {word(ok)} {note}", flush=True)

    def part_of(self, name, done, note="", **more):
        self.part(name, done.ok and not done.late, note if done.ok and not done.late else done.problem(), done.seconds, **more)

    def finish(self):
        ok = bool(self.parts) and all(part["ok"] is not False for part in self.parts)
        versions = machine.versions(self.build)
        record = {"stage": self.name, "commit": machine.commit(), "date": datetime.datetime.now().isoformat(timespec="seconds"),
                  "device": self.gpu or {"name": "none"}, "ran_on": self.device, "versions": versions, "ok": ok, "unfinished": self.unfinished,
                  "seconds": round(time.monotonic() - self.begun, 1), "parts": self.parts, "results": self.results}
        path = self.out / f"{self.name}.json"
        path.with_suffix(".new").write_text(json.dumps(record, indent=1) + "\n")
        path.with_suffix(".new").replace(path)
        self.log.close()
        table([[part["part"], word(part["ok"]), f"{part['seconds']:.1f} s" if part["seconds"] else "", part["note"]]
               for part in self.parts])
        name = self.gpu["name"] if self.gpu else "no GPU"
        print(f"{self.name}: {'ok' if ok else 'FAILED'}, {record['seconds']} s, {name}, commit {record['commit']}; {path}")
        return 0 if ok else 1


def word(ok):
    return "-" if ok is None else "ok" if ok else "FAILED"


def end(process):
    """Stops what the command started: asks first, for a training run then writes its checkpoint."""
    for how, patience in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            return
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        # The command itself has ended; what it started may not have.
        if how == signal.SIGTERM:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(3)] if rows else []
    print()
    for row in rows:
        print("  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]).rstrip())


def right_aligned(rows):
    """A table whose first row is its head; all but the first column are numbers."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(["", row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:]))]))
