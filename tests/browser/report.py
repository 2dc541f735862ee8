#!/usr/bin/env python3
"""Opens the page of `eco2ai report` in headless Chromium, as its readers do.

    tests/browser/report.py path/to/eco2ai path/to/axe.min.js [folder for the screenshots]

On a desk and on a phone, in the light and in the dark scheme, the page must load without an error
and without a request, must not scroll sideways, and must pass the checks of axe-core for WCAG 2.2 at
level AA. The flame graph must follow pointer and keyboard, the table of runs must sort and filter, and
without scripts it must be a plain table. A print on A4 and Letter must hold all of the page.
Needs `chromium` and `pdftotext` (Debian: apt-get install --no-install-recommends chromium
poppler-utils), and axe-core (PyPI: axe-playwright-python contains it).
"""

import base64
import datetime
import fcntl
import json
import os
import pathlib
import random
import re
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
emission_level(kg/MWh) emission_source pue hostname pid version power_consumption_low(kWh)
power_consumption_high(kWh) job rank idle_energy(kWh) user""".split()

WAIT_SECONDS = 60


def sample_log(path):
    """Two months of nested runs in seven projects, one of them with a hostile name, and a training."""
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

    def row(name, project, epoch, start, seconds, inclusive, mine, parent, function):
        """Writes a row; `inclusive` are the energies of the components."""
        when = datetime.datetime(2026, 3, 2, 8, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
        when += datetime.timedelta(seconds=int(start))
        total = sum(inclusive)
        measured = project != "nightly benchmarks"
        guessed = project == "recommender"
        rows.append([
            name, project, "a sample", epoch, when.isoformat(sep=" "), seconds, total, total * 0.044,
            "AMD EPYC 7763/1 device(s), TDP:280", "A100 1 device(s)", "Linux", "FR", total * 0.25,
            parent, function, dice.choices(["ok", "error", "panicked"], [50, 2, 1])[0], 1, "process",
            mine, mine * 0.044, mine * 0.25, total * 1.2, *inclusive, "",
            "measured:rapl:share" if measured else "estimated:tdp", "sampled:nvml", "estimated:rss",
            "none", 44.0, "Ember 2024, place by time zone" if guessed else "Ember 2024", 1.1,
            f"node-{len(project) % 3}", 4711, "0.1.0", total * 0.9, total * 1.2,
            f"slurm:{int(start) // 864_000}", "", "", dice.choice(["ada", "grace"]),
        ])

    def run(function, parent, project, start, scale):
        """The components' inclusive energies and the seconds of a run, its rows written."""
        name = f"{dice.getrandbits(128):032x}"
        own = [scale * dice.uniform(0.1, 1), scale * dice.uniform(0, 3), scale * dice.uniform(0, 0.2)]
        inclusive, seconds = list(own), sum(own) * 3.6e6 / 250
        for callee in callees.get(function, []):
            parts, took = run(callee, name, project, start + seconds, scale * dice.uniform(0.3, 1.5))
            inclusive = [a + b for a, b in zip(inclusive, parts)]
            seconds += took
        row(name, project, "N/A", start, seconds, inclusive, sum(own), parent, function)
        return inclusive, seconds

    for day in range(60):
        for project in dice.sample(projects, dice.randint(1, 4)):
            start = day * 86_400 + dice.uniform(0, 50_000)
            run("digits::train", "", project, start, dice.expovariate(20) / (1 + projects.index(project)))
    for epoch in range(1, 81):
        metrics = f"epoch: {epoch}, loss: {2 * 0.95 ** epoch:.4f}, accuracy: {1 - 0.9 ** epoch:.4f}, "
        parts = [dice.uniform(0.01, 0.012), 0.03, 0.001]
        row("training", "MNIST", metrics, 864_000 + epoch * 60, 60, parts, sum(parts), "", "mnist::train")
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
    document.documentElement.insertAdjacentHTML('beforeend', '<style>*{transition:none!important}</style>');
    const bars = [...document.querySelectorAll('#flame-graph span')];
    const bar = bars.find(bar => bar.textContent.startsWith('digits::train_epoch'));
    const width = () => bar.getBoundingClientRect().width;
    const select = (bar) => bar.dispatchEvent(new MouseEvent('click', {bubbles: true}));
    const before = width();
    select(bar);
    const selected = width();
    select(bars[0]);
    return [before, selected, width()];
})()"""

# The violations of WCAG 2.2 AA. What is outside of its box cannot be judged, so all boxes are opened.
AXE = """(() => {
    document.documentElement.insertAdjacentHTML('beforeend', `<style>
        .scroll { overflow: visible !important; max-height: none !important }
        thead th { position: static !important }</style>`);
    for (const details of document.querySelectorAll('details')) details.open = true;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return axe.run(document, {runOnly: tags}).then(result => ({
        passed: result.passes.map(rule => rule.id),
        violations: result.violations.map(rule => `${rule.id}: ${rule.nodes[0].html.slice(0, 200)}`),
    }));
})()"""

# The cells of a column of the table of runs, from its top.
COLUMN = """[...document.querySelectorAll('[data-sortable] tbody tr')].filter(row => !row.hidden)
    .map(row => row.cells[%d].firstChild?.textContent ?? '')"""

FOCUSED = """(() => {
    const it = document.activeElement;
    const style = getComputedStyle(it);
    return {
        text: it.textContent.trim().slice(0, 60), tag: it.tagName, level: it.ariaLevel,
        outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
        top: it.getBoundingClientRect().top + scrollY,
    };
})()"""

KEYS = {"ArrowUp": 38, "ArrowDown": 40, "ArrowLeft": 37, "ArrowRight": 39, "Enter": 13, "Escape": 27,
        "Tab": 9, "Home": 36}


def press(browser, key):
    text = {"text": "\r"} if key == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                    windowsVirtualKeyCode=KEYS[key], **(text if kind == "keyDown" else {}))


def open_page(browser, page):
    browser.events.clear()
    browser.ask("Page.navigate", url=page.as_uri())
    browser.wait_for("Page.loadEventFired")


def check_flame_keys(browser):
    """Moves through the flame graph by keyboard; returns what is wrong."""
    wrong = []
    browser.value("document.querySelector('#flame-graph [tabindex=\"0\"]').focus()")

    def expect(key, level, what):
        press(browser, key)
        focused = browser.value(FOCUSED)
        if focused["level"] != str(level) or focused["outline"] < 2:
            wrong.append(f"{key} {what}: {focused}")
        return focused["text"]

    first = expect("ArrowDown", 2, "goes to the first callee")
    second = expect("ArrowRight", 2, "goes to the next one")
    back = expect("ArrowLeft", 2, "goes back")
    if first == second or first != back:
        wrong.append(f"the arrows went from {first} to {second} to {back}")
    expect("ArrowDown", 3, "goes to a callee of it")
    expect("ArrowUp", 2, "goes to its caller")
    width = "document.activeElement.getBoundingClientRect().width"
    before = browser.value(width)
    expect("Enter", 2, "zooms and keeps the focus")
    zoomed = browser.value(width)
    if browser.value("document.activeElement.ariaCurrent") != "true" or not zoomed > before * 1.05:
        wrong.append(f"Enter zoomed from {before} to {zoomed} px")
    if first.split(":")[0] not in browser.value("document.getElementById('flame-text').textContent"):
        wrong.append("the text below the flame graph is not that of the bar")
    expect("Escape", 2, "zooms out and keeps the focus")
    if abs(browser.value(width) - before) > 1:
        wrong.append("Escape did not zoom out")
    expect("Home", 1, "goes to the top")
    if browser.value("document.querySelectorAll('#flame-graph [tabindex=\"0\"]').length") != 1:
        wrong.append("the flame graph is not one stop of the Tab key")
    return wrong


def number(cell):
    cell = re.sub(r"\s", "", cell)
    return float(cell.strip("<")) / (2 if cell.startswith("<") else 1) if cell else -1


def check_table(browser):
    """Sorts and filters the table of runs; returns what is wrong."""
    wrong = []
    headings = browser.value("[...document.querySelectorAll('[data-sortable] th[scope=col]')].map(h => h.innerText)")
    figures = [at for at, text in enumerate(headings)
               if text.split()[0].strip("▾▴") in ("Duration", "Energy", "Own", "Power", "Cost")]
    if len(figures) != 5:
        wrong.append(f"not all columns are in the table of runs: {headings}")

    def sorting(at):
        return browser.value(f"document.querySelectorAll('[data-sortable] th[scope=col]')[{at}].ariaSort")

    rows = browser.value(COLUMN % 0)
    # Energy is sorted already, the largest first.
    for column in figures:
        orders = [("descending", True), ("ascending", False)]
        for wanted, order in orders[1:] + orders[:1] if sorting(column) else orders:
            if sorting(column) != wanted:
                browser.value(f"document.querySelectorAll('[data-sortable] thead button')[{column}].focus()")
                press(browser, "Enter")
            cells = [number(cell) for cell in browser.value(COLUMN % column)]
            if cells != sorted(cells, reverse=order) or sorting(column) != wanted or len(cells) != len(rows):
                wrong.append(f"not {wanted} by {headings[column]}: {cells[:5]}, {sorting(column)}")
    browser.value("document.querySelectorAll('[data-sortable] thead button')[0].click()")
    names = browser.value(COLUMN % 0)
    if names != sorted(names, key=str.lower) or any(sorting(column) for column in figures):
        wrong.append(f"not by name: {names[:5]}")
    browser.value("document.querySelector('.filter input').focus()")
    browser.ask("Input.insertText", text="MNIST load")
    names = set(browser.value(COLUMN % 0))
    said = browser.value("document.querySelector('.filter output').textContent")
    count = len(browser.value(COLUMN % 0))
    if names != {"digits::data::load"} or said != f"{count} of {len(rows)} runs":
        wrong.append(f"the filter left {names} and said {said!r}")
    browser.ask("Input.insertText", text=" no such run")
    if browser.value(COLUMN % 0):
        wrong.append("the filter left runs that do not match")
    return wrong


def check_focus_order(browser):
    """Presses Tab through the page; returns what is wrong."""
    wrong, last = [], -1
    browser.value("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(200):
        press(browser, "Tab")
        focused = browser.value(FOCUSED)
        if focused["tag"] == "BODY":
            break
        if focused["outline"] < 2:
            wrong.append(f"no visible focus on {focused}")
        # A heading that sticks to the top of its table is beside its neighbours.
        if focused["top"] < last - 60:
            wrong.append(f"the focus jumps back to {focused}")
        last = focused["top"]
    else:
        wrong.append("Tab does not leave the page")
    return wrong


def check_without_scripts(browser, page):
    """Opens the page with scripts turned off; returns what is wrong."""
    wrong = []
    open_page(browser, page)
    runs = len(browser.value(COLUMN % 0))
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    open_page(browser, page)
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    if browser.value("document.querySelectorAll('button, input').length"):
        wrong.append("controls that do nothing")
    if not runs or len(browser.value(COLUMN % 0)) != runs:
        wrong.append(f"not all of {runs} runs are in the table")
    if not browser.value("document.querySelectorAll('.chart title').length"):
        wrong.append("the bars have no titles")
    return wrong


def check_print(browser, page, paper, size, folder):
    """Prints the page; returns what is wrong."""
    wrong = []
    browser.ask("Emulation.setEmulatedMedia", media="print", features=[])
    # The width between the margins of the style sheet, 12 mm.
    width = int((size[0] - 2 * 12 / 25.4) * 96)
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    open_page(browser, page)
    cut = browser.value(f"""[...document.querySelectorAll('main *')].filter(one => !one.closest('#flame-graph, .plot')
        && one.getBoundingClientRect().right > {width} + 1).map(one => one.outerHTML.slice(0, 100))""")
    if cut:
        wrong.append(f"{len(cut)} elements are cut: {cut[0]}")
    runs = browser.value(COLUMN % 1)
    browser.ask("Emulation.setEmulatedMedia", media="", features=[])
    browser.ask("Emulation.clearDeviceMetricsOverride")
    printed = browser.ask("Page.printToPDF", paperWidth=size[0], paperHeight=size[1], preferCSSPageSize=False)
    pdf = folder / f"report-{paper}.pdf"
    pdf.write_bytes(base64.b64decode(printed["data"]))
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
    if "European Environment Agency" not in text or text.count("So far") != 1:
        wrong.append("the contents of closed details are missing")
    lost = [start for start in runs if start not in text]
    if lost or not runs:
        wrong.append(f"{len(lost)} of {len(runs)} runs are missing, such as {lost[:1]}")
    for number_, sheet in enumerate(text.split("\f"), 1):
        rows = [line for line in sheet.splitlines() if re.search(r"2026-\d\d-\d\d \d\d:\d\d:\d\d", line)]
        if rows and "Duration" not in sheet:
            wrong.append(f"page {number_} has runs without the head of their table")
    return wrong


def check(browser, page, width, scheme, screenshot, axe):
    """Opens the page once; returns what is wrong, and the colour behind it."""
    wrong = []
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                mobile=width < 600)
    browser.ask("Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": scheme}])
    open_page(browser, page)
    sideways = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if sideways > 0:
        wrong.append(f"scrolls sideways by {sideways} px")
    if browser.value("document.querySelectorAll('script').length") != 1:
        wrong.append("a script besides that of the page")
    charts = browser.value("[...document.querySelectorAll('.chart')].map(c => c.querySelectorAll('g').length)")
    if len(charts) != 3 or min(charts) < 10:
        wrong.append(f"not a chart over time and two of the training: {charts}")
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", **browser.value("""(() => {
        const box = document.querySelector('.chart g:nth-of-type(3)').getBoundingClientRect();
        scrollTo(0, box.top - 300);
        return {x: box.left + box.width / 2, y: 300 + box.height / 2};
    })()"""))
    tip = browser.value("document.getElementById('tip').hidden || document.getElementById('tip').textContent")
    if not re.match(r"2026-03-\d\d.*: [\d.]+\s[kmµ]?Wh", str(tip)):
        wrong.append(f"the tip of a bar is {tip!r}")
    browser.value("scrollTo(0, 0)")
    height = browser.value("document.documentElement.scrollHeight")
    picture = browser.ask("Page.captureScreenshot", captureBeyondViewport=True, clip={
        "x": 0, "y": 0, "width": width, "height": height, "scale": 1})
    screenshot.write_bytes(base64.b64decode(picture["data"]))
    before, selected, after = browser.value(ZOOM)
    if not before * 1.2 < selected <= width or abs(after - before) > 1:
        wrong.append(f"a bar went from {before} to {selected} to {after} px")
    wrong += check_flame_keys(browser)
    wrong += check_table(browser)
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
    open_page(browser, page)
    wrong += check_focus_order(browser)
    browser.value(axe + "; 0")
    result = browser.value(AXE)
    wrong += [f"axe: {violation}" for violation in result["violations"]]
    if "color-contrast" not in result["passed"]:
        wrong.append(f"axe has not judged the contrast: {result}")
    return wrong, colour


def main():
    program = shutil.which("chromium")
    if program is None:
        sys.exit("chromium is not installed: apt-get install --no-install-recommends chromium")
    command = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        scratch = pathlib.Path(scratch)
        axe = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
        pictures = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else scratch).resolve()
        pictures.mkdir(parents=True, exist_ok=True)
        sample_log(scratch / "emission.csv")
        subprocess.run([command, "report", "emission.csv", "-o", "report.html", "--also", "DE,US-CA",
                        "--since", "2026-03-10", "--against", "previous"], cwd=scratch, check=True)
        browser = Browser(program, scratch / "profile")
        failed = False
        colours = set()
        for scheme in ("light", "dark"):
            for width in (1280, 390):
                wrong, colour = check(browser, scratch / "report.html", width, scheme,
                                      pictures / f"report-{scheme}-{width}.png", axe)
                print(f"{scheme}, {width} px: {'; '.join(wrong) or 'well'}")
                failed |= bool(wrong)
                colours.add((scheme, colour))
        page = scratch / "report.html"
        checks = {"without scripts": check_without_scripts(browser, page)}
        for paper, size in (("A4", (8.27, 11.69)), ("Letter", (8.5, 11))):
            checks[paper] = check_print(browser, page, paper, size, pictures)
        for name, wrong in checks.items():
            print(f"{name}: {'; '.join(wrong) or 'well'}")
            failed |= bool(wrong)
        browser.close()
        if len(colours) != 2 or len({colour for _, colour in colours}) != 2:
            print(f"the background does not follow the scheme: {colours}")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
