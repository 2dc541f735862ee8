#!/usr/bin/env python3
"""Runs Cargo for another target. Where the toolchain has no standard library for it, Cargo builds one
from the source that Debian packages for this version of rustc.

    tests/targets/cross.py TARGET check -p eco2ai
    tests/targets/cross.py TARGET test -p eco2ai --no-run

Debian or Ubuntu, as root the first time: missing linkers are installed; the source is unpacked below
Cargo's target folder. What it builds is in `targets` there, apart from other builds: the standard
library needs a variable on which build scripts depend.
"""

import glob
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# For each target: a program that building for it needs, and Debian's packages with it.
TOOLS = {
    "x86_64-pc-windows-gnu": (
        "x86_64-w64-mingw32-gcc",
        ["gcc-mingw-w64-x86-64-posix", "binutils-mingw-w64-x86-64"],
    ),
    "aarch64-unknown-linux-gnu": (
        "aarch64-linux-gnu-gcc",
        ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
    ),
    # Nothing here links for it.
    "aarch64-apple-darwin": None,
    # Nor for this one; the machine's own compiler will do, since where musl's is installed, Spark takes the
    # machine for one with musl.
    "x86_64-unknown-linux-musl": ("gcc", ["gcc"]),
}
# Suites of Debian that hold current versions of Rust.
SUITES = ["trixie-backports", "trixie", "sid"]


def target_folder():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")).absolute()


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def rustc_version():
    """The version of rustc, such as `1.95.0`."""
    return output_of("rustc", "--version").split()[1]


def has_standard_library(target):
    libraries = pathlib.Path(output_of("rustc", "--print", "sysroot"), "lib/rustlib", target, "lib")
    return any(libraries.glob("libstd-*"))


def install(program, packages):
    """Installs Debian packages unless their program is there."""
    if shutil.which(program):
        return
    command = ["apt-get", "-y", "-qq", "install", "--no-install-recommends", *packages]
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if not shutil.which(program):
        sys.exit(f"{program} is missing after the installation of {' '.join(packages)}")


def debian_archive():
    """The address of Debian's archive, as this machine has it."""
    lines = []
    for path in glob.glob("/etc/apt/sources.list.d/*.sources") + ["/etc/apt/sources.list"]:
        if os.path.exists(path):
            lines += open(path).read().splitlines()
    for line in lines:
        words = line.split()
        address = [word for word in words[1:] if "://" in word]
        if words and words[0] in ("URIs:", "deb") and address:
            return address[0]
    sys.exit("no source of Debian packages in /etc/apt: the source of the standard library is missing")


def fetch_package(name, version, folder):
    """Unpacks a package of a version such as `1.95.0` from any suite, without installing it."""
    archive = debian_archive()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for part in ("lists/partial", "cache/archives/partial"):
            (scratch / part).mkdir(parents=True)
        keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
        signed = f"[signed-by={keys}] " if os.path.exists(keys) else ""
        sources = scratch / "sources.list"
        sources.write_text("".join(f"deb {signed}{archive} {suite} main\n" for suite in SUITES))
        options = [
            f"-oDir::Etc::SourceList={sources}",
            "-oDir::Etc::SourceParts=/dev/null",
            f"-oDir::State::Lists={scratch}/lists",
            f"-oDir::Cache={scratch}/cache",
            # The download is owned by whoever runs this.
            "-oAPT::Sandbox::User=root",
        ]
        # A suite that the archive lacks is no error here.
        subprocess.run(["apt-get", "-qq", *options, "update"], stderr=subprocess.DEVNULL)
        lines = output_of("apt-cache", *options, "madison", name).splitlines()
        known = [line.split("|")[1].strip() for line in lines]
        found = [it for it in known if it.startswith(version)]
        if not found:
            sys.exit(f"{name} {version} is in no suite ({', '.join(SUITES)}); known: {known}")
        command = ["apt-get", "-qq", *options, "download", f"{name}={found[0]}"]
        subprocess.run(command, cwd=scratch, check=True)
        (package,) = scratch.glob("*.deb")
        # A stopped run leaves no half of a folder at the final name.
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", package, half], check=True)
        half.rename(folder)


def standard_library_source():
    """The folder `library` of Rust's source in the version of rustc."""
    version = rustc_version()
    installed = pathlib.Path(output_of("rustc", "--print", "sysroot"), "lib/rustlib/src/rust/library")
    if installed.exists():
        return installed
    unpacked = target_folder() / f"rust-src-{version}"
    if not unpacked.exists():
        fetch_package("rust-src", version, unpacked)
    return unpacked / f"usr/src/rustc-{version}/library"


def prepare(target):
    """Installs what the target needs. Returns the arguments and the variables for Cargo."""
    if target not in TOOLS:
        sys.exit(f"unknown target {target}; known: {', '.join(TOOLS)}")
    if TOOLS[target]:
        install(*TOOLS[target])
    arguments = ["--target", target, "--target-dir", str(target_folder() / "targets")]
    env = dict(os.environ)
    if TOOLS[target]:
        linker = f"CARGO_TARGET_{target.upper().replace('-', '_')}_LINKER"
        env.setdefault(linker, TOOLS[target][0])
        env.setdefault(f"CC_{target.replace('-', '_')}", TOOLS[target][0])
    if not has_standard_library(target):
        env["RUSTC_BOOTSTRAP"] = "1"
        env["__CARGO_TESTS_ONLY_SRC_ROOT"] = str(standard_library_source())
        arguments.append("-Zbuild-std=std,panic_unwind,proc_macro,test")
    return arguments, env


def cargo(target, command, *rest, variables=None):
    """Runs a command of Cargo for a target. Returns its exit code."""
    arguments, env = prepare(target)
    env.update(variables or {})
    return subprocess.run(["cargo", command, *arguments, *rest], cwd=REPOSITORY, env=env).returncode


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(cargo(*sys.argv[1:]))
