#!/usr/bin/env python3
"""Opens the page of `eco2ai report` in headless Chromium, as its readers do.

    tests/browser/report.py path/to/eco2ai [folder for the screenshots]

On a desk and on a phone, in the light and in the dark scheme, the page must load without an error
and without a request, must not scroll sideways, and its flame graph must zoom.
Needs `chromium` (Debian: apt-get install --no-install-recommends chromium).
"""

import base64
import datetime
import fcntl
import json
import os
import pathlib
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time

COLUMNS = """id project_name experiment_description epoch start_time duration(s)
power_consumption(kWh) CO2_emissions(kg) CPU_name GPU_name OS region/country cost parent_id function
status calls scope own_energy(kWh) own_CO2(kg) own_cost process_energy(kWh) cpu_energy(kWh)
gpu_energy(kWh) ram_energy(kWh) other_energy(kWh) cpu_method gpu_method ram_method other_method
emission_level(kg/MWh) emission_source pue hostname pid version""".split()

WAIT_SECONDS = 60


def sample_log(path):
    """Two months of nested runs in seven projects, one of them with a hostile name."""
    dice = random.Random(7)
    projects = ["speech recognition", "protein folding", "recommender", "nightly benchmarks",
                "MNIST", "<script>alert(1)</script>", "a_long_name_without_any_space_in_it_for_a_phone"]
    callees = {
        "digits::train": ["digits::data::load", "digits::train_epoch", "digits::evaluate"],
        "digits::train_epoch": ["digits::model::Network::<f32>::forward",
                                "digits::model::Network::<f32>::backward", "digits::optimizer::step"],
        "digits::evaluate": ["digits::model::Network::<f32>::forward"],
    }
    rows = []

    def run(function, parent, project, start, scale):
        """The components' inclusive energies and the seconds of a run, its rows written."""
        name = f"{dice.getrandbits(128):032x}"
        own = [scale * dice.uniform(0.1, 1), scale * dice.uniform(0, 3), scale * dice.uniform(0, 0.2)]
        inclusive, seconds = list(own), sum(own) * 3.6e6 / 250
        for callee in callees.get(function, []):
            parts, took = run(callee, name, project, start + seconds, scale * dice.uniform(0.3, 1.5))
            inclusive = [a + b for a, b in zip(inclusive, parts)]
            seconds += took
        when = datetime.datetime(2026, 3, 2, 8, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
        when += datetime.timedelta(seconds=int(start))
        total, mine = sum(inclusive), sum(own)
        measured = project != "nightly benchmarks"
        rows.append([
            name, project, "a sample", "N/A", when.isoformat(sep=" "), seconds, total, total * 0.044,
            "AMD EPYC 7763/1 device(s), TDP:280", "A100 1 device(s)", "Linux", "FR", total * 0.25,
            parent, function, dice.choices(["ok", "error", "panicked"], [50, 2, 1])[0], 1, "process",
            mine, mine * 0.044, mine * 0.25, total * 1.2, *inclusive, "",
            "measured:rapl:share" if measured else "estimated:tdp", "sampled:nvml", "estimated:rss",
            "none", 44.0, "Our World in Data / Ember 2024", 1.1, "node-1", 4711, "0.1.0",
        ])
        return inclusive, seconds

    for day in range(60):
        for project in dice.sample(projects, dice.randint(1, 4)):
            start = day * 86_400 + dice.uniform(0, 50_000)
            run("digits::train", "", project, start, dice.expovariate(20) / (1 + projects.index(project)))
    with open(path, "w", encoding="utf-8") as log:
        for row in [COLUMNS, *rows]:
            cells = (str(cell) for cell in row)
            log.write(",".join(f'"{c}"' if "," in c else c for c in cells) + "\n")
        log.write("torn,row\n")


class Browser:
    """Chromium, driven through its debugging pipe: no port, no network."""

    def __init__(self, program, profile):
        # The browser reads commands from its descriptor 3 and answers on 4.
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        commands, answers = (fcntl.fcntl(end, fcntl.F_DUPFD, 16) for end in (commands, answers))

        def take_places():
            os.dup2(commands, 3)
            os.dup2(answers, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=take_places, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.rest, self.last, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def message(self):
        deadline = time.monotonic() + WAIT_SECONDS
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], deadline - time.monotonic())[0]:
                sys.exit(f"the browser said nothing for {WAIT_SECONDS} s")
            read = os.read(self.answers, 1 << 20)
            if not read:
                sys.exit("the browser ended")
            self.rest += read
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.commands, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.last:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        while not any(event["method"] == method for event in self.events):
            self.events.append(self.message())

    def value(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def close(self):
        self.session = None
        self.ask("Browser.close")
        self.process.wait(WAIT_SECONDS)


# A bar in the middle of the flame graph: how wide it is, how wide once selected, and how wide after
# the top bar is selected again.
ZOOM = """(() => {
    const bars = [...document.querySelectorAll('#flame-graph span')];
    const bar = bars.find(bar => bar.title.startsWith('digits::train_epoch'));
    const width = () => bar.getBoundingClientRect().width;
    const select = (bar) => bar.dispatchEvent(new MouseEvent('click', {bubbles: true}));
    const before = width();
    select(bar);
    const selected = width();
    select(bars[0]);
    return [before, selected, width()];
})()"""


def check(browser, page, width, scheme, screenshot):
    """Opens the page once; returns what is wrong, and the colour behind it."""
    wrong = []
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                mobile=width < 600)
    browser.ask("Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.events.clear()
    browser.ask("Page.navigate", url=page.as_uri())
    browser.wait_for("Page.loadEventFired")
    sideways = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if sideways > 0:
        wrong.append(f"scrolls sideways by {sideways} px")
    if browser.value("document.querySelectorAll('script').length") != 1:
        wrong.append("a script besides that of the flame graph")
    charts = browser.value("[...document.querySelectorAll('.chart')].filter(c => c.offsetWidth > 0).length")
    if charts != 1:
        wrong.append(f"{charts} charts are shown, not one")
    height = browser.value("document.documentElement.scrollHeight")
    picture = browser.ask("Page.captureScreenshot", captureBeyondViewport=True, clip={
        "x": 0, "y": 0, "width": width, "height": height, "scale": 1})
    screenshot.write_bytes(base64.b64decode(picture["data"]))
    before, selected, after = browser.value(ZOOM)
    if not before * 1.2 < selected <= width or abs(after - before) > 1:
        wrong.append(f"a bar went from {before} to {selected} to {after} px")
    colour = browser.value("getComputedStyle(document.body).backgroundColor")
    for event in browser.events:
        details = event["params"]
        match event["method"]:
            case "Network.requestWillBeSent" if details["request"]["url"] not in (page.as_uri(), "data:,"):
                wrong.append(f"requested {details['request']['url']}")
            case "Runtime.exceptionThrown":
                wrong.append(f"exception: {details['exceptionDetails']}")
            case "Log.entryAdded":
                wrong.append(f"console: {details['entry']['text']}")
            case "Runtime.consoleAPICalled":
                wrong.append(f"console: {details['args']}")
            case "Page.javascriptDialogOpening":
                wrong.append("a dialog opened")
    return wrong, colour


def main():
    program = shutil.which("chromium")
    if program is None:
        sys.exit("chromium is not installed: apt-get install --no-install-recommends chromium")
    command = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        scratch = pathlib.Path(scratch)
        pictures = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else scratch).resolve()
        pictures.mkdir(parents=True, exist_ok=True)
        sample_log(scratch / "emission.csv")
        subprocess.run([command, "report", "emission.csv", "-o", "report.html"], cwd=scratch, check=True)
        browser = Browser(program, scratch / "profile")
        failed = False
        colours = set()
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                wrong, colour = check(browser, scratch / "report.html", width, scheme,
                                      pictures / f"report-{scheme}-{width}.png")
                print(f"{scheme}, {width} px: {'; '.join(wrong) or 'well'}")
                failed |= bool(wrong)
                colours.add((scheme, colour))
        browser.close()
        if len(colours) != 2 or len({colour for _, colour in colours}) != 2:
            print(f"the background does not follow the scheme: {colours}")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
