"""A headless Chromium spoken to over a pipe, by its DevTools protocol: messages are JSON, a zero byte ends each."""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class BrowserError(Exception):
    pass


def find_chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    raise BrowserError("no Chromium here (Debian: apt-get install chromium)")


class Browser:
    """One page of one browser. `events` holds what the browser has reported since it was last cleared."""

    def __init__(self, timeout=300):
        self.timeout = timeout
        self.events = []
        self.next_id = 0
        self.unread = b""
        self.profile = tempfile.mkdtemp(prefix="retort-browser-")
        self.log = open(os.path.join(self.profile, "log"), "w+")
        # Not 3 and 4 themselves, which the browser reads from and writes to.
        read_commands, self.commands = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())
        self.replies, write_replies = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())

        def give_pipes():
            os.dup2(read_commands, 3)
            os.dup2(write_replies, 4)

        flags = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "--no-first-run", "--disable-gpu",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--disable-background-networking"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # which Chromium insists on for root; the page is our own
        self.process = subprocess.Popen([find_chromium(), *flags, "about:blank"], preexec_fn=give_pipes, pass_fds=(3, 4),
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(read_commands)
        os.close(write_replies)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _failed(self, what):
        self.log.flush()
        self.log.seek(0)
        return BrowserError(f"{what}\n" + "".join(self.log.readlines()[-15:]))

    def _receive(self, deadline):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.replies], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise self._failed("the browser does not answer")
            block = os.read(self.replies, 1 << 20)
            if not block:
                raise self._failed("the browser has ended")
            self.unread += block
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        text = json.dumps(message).encode() + b"\0"
        while text:
            text = text[os.write(self.commands, text):]
        deadline = time.monotonic() + self.timeout
        while True:
            reply = self._receive(deadline)
            if reply.get("id") != message["id"]:
                self.events.append(reply)
            elif "error" in reply:
                raise BrowserError(f"{method}: {reply['error']['message']}")
            else:
                return reply["result"]

    def wait_for(self, event):
        deadline = time.monotonic() + self.timeout
        while not any(seen.get("method") == event for seen in self.events):
            self.events.append(self._receive(deadline))

    def evaluate(self, expression):
        """The value of a JavaScript expression, or of the promise that it is."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(result["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return result["result"].get("value")

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def metric(self, name):
        """One of the browser's own numbers about the page; Performance has to be enabled."""
        return next(m["value"] for m in self.call("Performance.getMetrics")["metrics"] if m["name"] == name)

    def size(self, width, height, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def colour_scheme(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def screenshot(self, path):
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"])
