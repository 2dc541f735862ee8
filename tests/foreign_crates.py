#!/usr/bin/env python3
"""Tracks every function of crates that others wrote, and runs their own tests.

    tests/foreign_crates.py                           # all crates of the list below
    tests/foreign_crates.py --work FOLDER bytes petgraph@0.8.3
    tests/foreign_crates.py --eco2ai OTHER/CHECKOUT --attribute '#[eco2ai::track]' tower

Each crate's packaged source is taken three times: bare, tracked, and tracked with ECO2AI_DISABLE=1.
A row per crate tells the tests that passed and failed, and the errors and warnings of
`cargo clippy` that only the tracked source has; details lie in FOLDER/results. Needs the network,
through cargo alone. A crate whose bare results lie there already is not run bare again.

A test binary that does not end in time is asked for the stacks of its threads (by gdb, where that is
installed) and counts as one failure, `not ended`: it may hang, or make more tracked calls than there is time for."""

import argparse
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# Name, version, arguments for cargo.
CRATES = [
    ("mini-redis", "0.4.1", ["--features="]),
    ("tower", "0.5.3", ["--features=full"]),
    ("async-trait", "0.1.92", []),
    ("hyper", "1.12.0", ["--features=full"]),
    ("bytes", "1.12.2", ["--features=serde"]),
    ("petgraph", "0.8.3", ["--features=rayon,quickcheck"]),
    ("rayon-core", "1.13.0", []),
    ("serde_json", "1.0.154", []),
    ("smallvec", "1.16.6", ["--features=union,write,serde"]),
    ("indexmap", "2.14.2", ["--features=serde,rayon,quickcheck"]),
    ("semver", "1.0.28", ["--features=serde"]),
    ("crossbeam-channel", "0.5.17", []),
    ("crossbeam-deque", "0.8.8", []),
    ("crossbeam-epoch", "0.9.21", []),
    ("nom", "8.0.0", []),
    ("itoa", "1.0.19", []),
    ("pin-project", "1.2.0", []),
    ("ndarray", "0.17.2", []),
    ("futures-util", "0.3.34", ["--features=channel,io,sink"]),
    ("tokio-util", "0.7.20", ["--features=full"]),
]
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Runner:
    def __init__(self, options):
        self.options = options
        self.work = os.path.abspath(options.work or tempfile.mkdtemp(prefix="foreign_crates."))
        self.target = os.environ.get("CARGO_TARGET_DIR", os.path.join(self.work, "target"))
        self.results = os.path.join(self.work, "results")
        os.makedirs(self.results, exist_ok=True)
        # Nothing of whoever runs this is read or written.
        self.environment = dict(
            os.environ,
            CARGO_TARGET_DIR=self.target,
            CARGO_TERM_COLOR="never",
            ECO2AI_CONFIG=os.path.join(self.work, "params.toml"),
            # Of the compiler too, which runs the functions of a tracked macro crate.
            ECO2AI_FILE=os.path.join(self.results, "compiler.csv"),
            XDG_CONFIG_HOME=os.path.join(self.work, "config"),
            XDG_STATE_HOME=os.path.join(self.work, "state"),
        )
        self.environment.pop("ECO2AI_DISABLE", None)
        self.tool = self.build_tool()

    def build_tool(self):
        command = ["cargo", "build", "--quiet", "-p", "eco2ai-tests", "--bin", "track_everything"]
        subprocess.run(command, cwd=ROOT, check=True)
        command = ["cargo", "metadata", "--format-version=1", "--no-deps"]
        metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        return os.path.join(metadata["target_directory"], "debug", "track_everything")

    # The sources.

    def packaged(self, name, version):
        """The folder in which cargo keeps the source of a package."""
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "src"))
            open(os.path.join(folder, "src", "lib.rs"), "w").close()
            with open(os.path.join(folder, "Cargo.toml"), "w") as manifest:
                manifest.write(
                    f'[package]\nname = "fetch"\nedition = "2021"\n[workspace]\n'
                    f'[dependencies]\n{name} = "{"=" + version if version else "*"}"\n'
                )
            command = ["cargo", "metadata", "--format-version=1"]
            done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
        packages = json.loads(done.stdout)["packages"]
        found = [package for package in packages if package["name"] == name]
        return os.path.dirname(found[0]["manifest_path"])

    def copy(self, packaged, name, how):
        """A copy of a package that depends on eco2ai, with or without the attributes."""
        folder = os.path.join(self.work, how, name)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(packaged, folder)
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
        for leftover in ("Cargo.lock", "Cargo.toml.orig", ".cargo-ok"):
            if os.path.exists(os.path.join(folder, leftover)):
                os.remove(os.path.join(folder, leftover))
        with open(os.path.join(folder, "Cargo.toml"), "a") as manifest:
            manifest.write(f'\n[dependencies.eco2ai]\npath = "{self.options.eco2ai}/eco2ai"\n[workspace]\n')
            if not self.options.unoptimized:
                # Else a call takes thirty times as long, and tests make millions of them.
                manifest.write("[profile.dev.package.eco2ai]\nopt-level = 3\n")
        if how == "tracked":
            # Both with the same dependencies.
            lock = os.path.join(self.work, "bare", name, "Cargo.lock")
            shutil.copy(lock, folder)
            command = [self.tool, "--attribute", self.options.attribute]
            command += ["--tests"] * self.options.tests + [os.path.join(folder, "src")]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            self.functions = int(done.stdout)
            sys.stderr.write(done.stderr)
        else:
            self.cargo(["generate-lockfile"], folder, 300)
        return folder

    # Cargo.

    def cargo(self, arguments, folder, limit, environment=None, log=None):
        """Runs cargo; gives its exit status (None where it did not end in time) and its output."""
        command = ["cargo", *arguments]
        with tempfile.TemporaryFile() as output:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment or self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if log else subprocess.DEVNULL,
                start_new_session=True,
            )
            status = None
            begin = time.monotonic()
            while time.monotonic() < begin + limit and status is None:
                pid, ended, self.usage = os.wait4(child.pid, os.WNOHANG)
                status = child.returncode = os.waitstatus_to_exitcode(ended) if pid else None
                if status is None:
                    time.sleep(0.05)
            self.seconds = time.monotonic() - begin
            if status is None:
                if log:
                    self.stacks(child.pid, log + ".stacks")
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            output.seek(0)
            text = output.read().decode(errors="replace")
        if log:
            with open(log, "a") as file:
                file.write(f"\n$ {' '.join(command)}\n{text}")
        return status, text

    @staticmethod
    def stacks(group, path):
        """Keeps the stacks of all threads of the test binaries in a process group."""
        if not shutil.which("gdb"):
            return
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(pid)) != group or "/deps/" not in os.readlink(f"/proc/{pid}/exe"):
                    continue
            except OSError:
                continue
            command = ["gdb", "-p", pid, "-batch", "-ex", "thread apply all bt"]
            with open(path, "a") as file:
                subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, timeout=120)

    def messages(self, folder, arguments):
        """The errors and warnings of clippy, with how often each comes. The code that stands in a
        message is left out: it differs by the attribute."""
        command = ["clippy", "--all-targets", "--keep-going", "--message-format=json", *arguments]
        command += ["--", *(f"-W{lint}" for lint in self.options.lint)]
        _, text = self.cargo(command, folder, self.options.build_limit)
        found = collections.Counter()
        rendered = {}
        for line in text.splitlines():
            if not line.startswith("{"):
                continue
            line = json.loads(line)
            if line["reason"] != "compiler-message" or folder not in line["manifest_path"]:
                continue
            message = line["message"]
            places = [s for s in message["spans"] if s["is_primary"]]
            if message["level"] not in ("error", "warning") or not places:
                continue
            # The standard library's sources may or may not be there.
            file = re.sub(r"^.*/library/", "library/", places[0]["file_name"])
            place = f'{file}:{places[0]["line_start"]}'
            code = (message["code"] or {}).get("code", "")
            key = (message["level"], code, place, message["message"].replace(folder, ""))
            # Lint levels differ between targets of one package: each message counts once.
            found[key] = 1
            rendered[key] = message["rendered"]
        return found, rendered

    def targets(self, folder, arguments):
        command = ["metadata", "--format-version=1", "--no-deps"]
        _, text = self.cargo(command, folder, 300)
        package = json.loads(text)["packages"][0]
        for target in package["targets"]:
            kinds = target["kind"]
            if not target["test"] and "test" not in kinds:
                continue
            if "test" in kinds:
                yield ["--test", target["name"]]
            elif "bin" in kinds:
                yield ["--bin", target["name"]]
            elif "custom-build" not in kinds and "example" not in kinds and "bench" not in kinds:
                yield ["--lib"]
        if self.options.doc:
            yield ["--doc"]

    def tests(self, folder, name, how, arguments, limit):
        """Runs the tests; gives what became of each: ok, FAILED, not ended, or no build."""
        log = os.path.join(self.results, f"{name}.{how}.log")
        for leftover in (log, log + ".stacks"):
            if os.path.exists(leftover):
                os.remove(leftover)
        environment = dict(self.environment)
        csv = os.path.join(self.results, f"{name}.{how}.csv")
        if os.path.exists(csv):
            os.remove(csv)
        environment["ECO2AI_FILE"] = csv
        environment["RUST_BACKTRACE"] = "0"
        if how == "disabled":
            environment["ECO2AI_DISABLE"] = "1"
        results, seconds, memory = {}, 0, 0
        for target in self.targets(folder, arguments):
            label = " ".join(target)
            if target != ["--doc"]:
                command = ["test", *target, *arguments, "--no-run"]
                status, _ = self.cargo(command, folder, self.options.build_limit, log=log)
                if status != 0:
                    # `required-features` that are not on count as nothing to run.
                    results[label] = "no build"
                    continue
            status, text = self.cargo(["test", *target, *arguments], folder, limit, environment, log)
            seconds += self.seconds
            memory = max(memory, self.usage.ru_maxrss // 1024)
            ended = re.findall(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)", text, re.M)
            results.update({f"{label} {test}": result for test, result in ended})
            # With output in between, the result stands on a line of its own.
            failed = re.findall(r"^    (\S.*)$", text.split("\nfailures:\n")[-1], re.M)
            if status not in (0, None):
                results.update({f"{label} {test}": "FAILED" for test in failed if "::" in test or " " not in test})
            if status is None:
                results[label] = "not ended"
            elif status != 0 and "FAILED" not in results.values():
                results[label] = "FAILED"
        return {"results": results, "seconds": round(seconds, 1), "MiB": memory}

    def bare(self, packaged, name, arguments):
        if self.options.lints_only:
            folder = self.copy(packaged, name, "bare")
            found, _ = self.messages(folder, arguments)
            return {"messages": found, "tests": {"results": {}, "seconds": 0, "MiB": 0}}
        path = os.path.join(self.results, f"{name}.bare.json")
        folder = os.path.join(self.work, "bare", name)
        if os.path.exists(path) and os.path.exists(folder):
            with open(path) as file:
                return json.load(file)
        folder = self.copy(packaged, name, "bare")
        found, _ = self.messages(folder, arguments)
        tests = self.tests(folder, name, "bare", arguments, self.options.limit)
        result = {"messages": [list(key) for key in found], "tests": tests}
        with open(path, "w") as file:
            json.dump(result, file, indent=1)
        return result

    def run(self, name, version, arguments):
        packaged = self.packaged(name, version)
        bare = self.bare(packaged, name, arguments)
        row = {"crate": os.path.basename(packaged), "bare": counted(bare["tests"])}
        known = {tuple(key) for key in bare["messages"]}
        if not self.options.bare:
            folder = self.copy(packaged, name, "tracked")
            found, rendered = self.messages(folder, arguments)
            new = [key for key in found if key not in known]
            gone = [key for key in known if key not in found]
            with open(os.path.join(self.results, f"{name}.new"), "w") as file:
                file.writelines(rendered[key] + "\n" for key in new)
                file.writelines(f"gone: {key}\n" for key in gone)
            row["functions"] = self.functions
            for level in ("error", "warning"):
                codes = collections.Counter(key[1] or key[3][:60] for key in new if key[0] == level)
                row[f"new {level}s"] = codes
            row["gone"] = len(gone)
            for how in () if self.options.lints_only else ("tracked", "disabled"):
                tests = self.tests(folder, name, how, arguments, self.options.limit)
                row[how] = counted(tests)
                before = bare["tests"]["results"]
                row[f"{how} differs"] = {
                    test: result
                    for test, result in tests["results"].items()
                    if before.get(test) != result
                } | {test: "gone" for test in before if test not in tests["results"]}
                if how == "tracked" and "no build" in tests["results"].values() and "no build" not in before.values():
                    row["disabled"] = row[how]
                    break
        with open(os.path.join(self.results, f"{name}.json"), "w") as file:
            json.dump(row, file, indent=1)
        return row


def counted(tests):
    count = collections.Counter(tests["results"].values())
    text = f'{count["ok"]}/{count["FAILED"]}'
    for kind in ("not ended", "no build"):
        text += f" {count[kind]} {kind}" if count[kind] else ""
    return f'{text}, {tests["seconds"]} s, {tests["MiB"]} MiB'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("crates", nargs="*", metavar="CRATE[@VERSION]")
    parser.add_argument("--work", help="folder for sources, builds and results; a new one by default")
    parser.add_argument("--eco2ai", default=ROOT, type=os.path.abspath, help="the checkout to test")
    parser.add_argument("--attribute", default='#[eco2ai::track(rows = "total")]')
    parser.add_argument("--tests", action="store_true", help="track the functions of tests, too")
    parser.add_argument("--doc", action="store_true", help="run the tests in the documentation, too")
    parser.add_argument("--bare", action="store_true", help="run the bare sources only")
    parser.add_argument("--unoptimized", action="store_true", help="build eco2ai without optimisation")
    parser.add_argument("--lint", action="append", default=[], metavar="LINT", help="also warn of this")
    parser.add_argument("--lints-only", action="store_true", help="compare warnings, run no test")
    parser.add_argument("--limit", type=float, default=120, help="seconds for each test binary")
    parser.add_argument("--build-limit", type=float, default=900, help="seconds for each build")
    options = parser.parse_args()
    known = {name: (name, version, arguments) for name, version, arguments in CRATES}
    chosen = CRATES
    if options.crates:
        chosen = []
        for crate in options.crates:
            name, _, version = crate.partition("@")
            default = known.get(name, (name, "", []))
            chosen.append((name, version or default[1], default[2]))
    runner = Runner(options)
    print(f"# work folder: {runner.work}; tests as passed/failed, seconds, peak memory", flush=True)
    print("| crate | functions | bare | tracked | disabled | new errors | new warnings |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for crate in chosen:
        row = runner.run(*crate)
        lists = [
            ", ".join(f"{code} x {n}" for code, n in row.get(f"new {level}s", {}).items()) or "0"
            for level in ("error", "warning")
        ]
        cells = [row["crate"], row.get("functions", ""), row["bare"]]
        cells += [row.get("tracked", ""), row.get("disabled", ""), *lists]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
        for how in ("tracked", "disabled"):
            for test, result in row.get(f"{how} differs", {}).items():
                print(f"    {how}: {test}: {result}", flush=True)


if __name__ == "__main__":
    main()
