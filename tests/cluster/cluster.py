#!/usr/bin/env python3
"""Runs jobs of a real Slurm of one node and of a real Open MPI, with a tracked program and with
`eco2ai run`, and compares the rows with the CPU time that the kernel charged.

    tests/cluster/cluster.py target/debug/eco2ai target/debug/rank_work

Linux, Debian or Ubuntu, as root: Debian's packages are unpacked into a temporary folder, and nothing
is installed. Everything that it starts ends with it.
"""

import contextlib
import csv
import glob
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, f"{os.path.dirname(os.path.abspath(__file__))}/..")
from servers import daemon, free_port

SECONDS = 1.5
WATTS = 100
CPUS = os.cpu_count()
PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge", "openmpi-bin"]


def fetch(folder):
    """Unpacks the packages, and those they need that this machine lacks. Returns where."""
    root, archives = f"{folder}/root", f"{folder}/archives"
    os.makedirs(f"{archives}/partial")
    command = ["apt-get", "-y", "-qq", "install", "--download-only", "--no-install-recommends"]
    command += [f"-oDir::Cache::archives={archives}", *PACKAGES]
    if subprocess.run(command, capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for package in glob.glob(f"{archives}/*.deb"):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    return root


@contextlib.contextmanager
def cluster(folder):
    """Starts Slurm with one node, this machine. Returns the environment in which its commands work."""
    root = fetch(folder)
    libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu")
    plugins = glob.glob(f"{root}/usr/lib/*-linux-gnu/slurm-wlm")[0]
    host = socket.gethostname()
    socket_path, key = f"{folder}/munge.socket", f"{folder}/munge.key"
    with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o400), "wb") as file:
        file.write(os.urandom(1024))
    for name in ("state", "spool"):
        os.mkdir(f"{folder}/{name}")
    conf = f"""
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={socket_path}
PluginDir={plugins}
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={CPUS}
PartitionName=all Nodes={host} Default=YES OverSubscribe=FORCE:4 State=UP
"""
    with open(f"{folder}/slurm.conf", "w") as file:
        file.write(conf)
    env = {name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")}
    env["LD_LIBRARY_PATH"] = ":".join([*libraries, plugins])
    env["PATH"] = f"{root}/usr/bin:{root}/usr/sbin:{env['PATH']}"
    env["SLURM_CONF"] = f"{folder}/slurm.conf"
    if not shutil.which("mpirun"):
        env["OPAL_PREFIX"] = f"{root}/usr"
        os.symlink(f"{root}/usr/bin/mpirun.openmpi", f"{root}/usr/bin/mpirun")
    munged = ["munged", "--foreground", "--force", f"--socket={socket_path}", f"--key-file={key}"]
    munged += [f"--{name}={folder}/munge.{name}" for name in ("pid-file", "log-file", "seed-file")]
    stepd = f"{root}/usr/sbin/slurmstepd-wlm"
    with (
        daemon(munged, env, f"{folder}/munged.log"),
        daemon(["slurmctld-wlm", "-D", "-i"], env, f"{folder}/slurmctld.log"),
        daemon(["slurmd-wlm", "-D", "-d", stepd], env, f"{folder}/slurmd.log"),
    ):
        for _ in range(150):
            state = subprocess.run(["sinfo", "-h", "-o", "%t"], env=env, capture_output=True)
            if state.stdout.strip() == b"idle":
                break
            time.sleep(0.2)
        else:
            logs = [f"{folder}/{name}.log" for name in ("munged", "slurmctld", "slurmd")]
            sys.exit("Slurm did not start:\n" + "".join(open(log).read()[-2000:] for log in logs))
        try:
            yield env
        finally:
            # No job outlives its daemon.
            subprocess.run(["scancel", "-u", "root"], env=env, capture_output=True)
            for _ in range(50):
                jobs = subprocess.run(["squeue", "-h"], env=env, capture_output=True)
                if not jobs.stdout.strip():
                    break
                time.sleep(0.2)


class Case:
    """A folder for the logs of some processes, and what they print."""

    def __init__(self, folder, name, env):
        self.name, self.folder = name, f"{folder}/{name.replace(' ', '_')}"
        os.mkdir(self.folder)
        self.env = env | {
            "ECO2AI_CONFIG": f"{self.folder}/params.toml",
            "ECO2AI_FILE": f"{self.folder}/logs/{{host}}-{{job}}-{{rank}}-{{pid}}.csv",
            # So a row's energy is its CPU time.
            "ECO2AI_CPU_POWER": str(WATTS),
            "ECO2AI_RAM_POWER": "0",
        }

    def run(self, *command, **env):
        done = subprocess.run(
            command, env=self.env | env, cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, (self.name, done.stdout, done.stderr)
        self.printed, self.errors = done.stdout, done.stderr

    def rows(self):
        rows = []
        for log in sorted(glob.glob(f"{self.folder}/logs/*.csv")):
            rows += csv.DictReader(open(log, newline=""))
        return rows

    def check(self, jobs, ranks, slack=0.02):
        """Compares the rows with the CPU time that the processes printed."""
        rows = self.rows()
        found = sorted((row["job"], row["rank"]) for row in rows)
        expected = sorted(zip(jobs, ranks, strict=True))
        assert len(found) == len(expected), (self.name, found)
        for (job, rank), (begin, expected_rank) in zip(found, expected, strict=True):
            assert job.startswith(begin) and rank == expected_rank, (self.name, found)
        kernel = sum(float(line.split()[1]) for line in self.printed.splitlines())
        joules = sum(float(row["own_energy(kWh)"]) for row in rows) * 3.6e6
        charged = joules * CPUS / WATTS
        error = charged / kernel - 1
        print(f"{self.name:32} {len(rows)} rows, {kernel:.3f} s of CPU, {charged:.3f} s charged, {error:+.2%}")
        for row in rows:
            assert row["cpu_method"] == "estimated:given" and row["status"] == "ok", (self.name, row)
        assert abs(charged - kernel) <= slack * kernel + 0.02 * len(rows), (self.name, charged, kernel)


def main(eco2ai, worker):
    tracked = [worker, str(SECONDS)]
    measured = [eco2ai, "run", "--quiet", "--measure-period=0.2", "--", worker, str(SECONDS), "plain"]
    plain = [worker, str(SECONDS), "plain"]
    mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "2"]
    with tempfile.TemporaryDirectory(prefix="eco2ai-cluster-") as folder, cluster(folder) as env:
        for kind, command in (("tracked", tracked), ("eco2ai run", measured)):
            case = Case(folder, f"srun -n2, {kind}", env)
            case.run("srun", "-n2", "--overcommit", *command)
            case.check(["slurm:"] * 2, ["0", "1"])

            case = Case(folder, f"sbatch --array=0-3, {kind}", env)
            words = " ".join(command)
            script = f"{case.folder}/job.sh"
            with open(script, "w") as file:
                file.write(f"#!/bin/sh\n{words}\n")
            case.run("sbatch", "--wait", "--array=0-3", f"--output={case.folder}/%a.out", script)
            case.printed = "".join(open(f"{case.folder}/{task}.out").read() for task in range(4))
            array = case.rows()[0]["job"].rsplit("_", 1)[0]
            case.check([f"{array}_{task}" for task in range(4)], ["0"] * 4)

            case = Case(folder, f"mpirun -n 2, {kind}", env)
            case.run(*mpirun, *command)
            case.check(["pmix:"] * 2, ["0", "1"])

        # The processes of `mpirun` on one machine are its children, and its own time counts too.
        case = Case(folder, "eco2ai run mpirun", env)
        case.run(eco2ai, "run", "--quiet", "--measure-period=0.2", "--", *mpirun, *plain)
        case.check([""], [""], slack=0.15)

        case = Case(folder, "eco2ai run srun", env)
        case.run(eco2ai, "run", "--", "srun", "-n2", "--overcommit", *plain)
        [row] = case.rows()
        assert row["cpu_method"] == "estimated:given:partial", row
        assert "srun … eco2ai run -- COMMAND" in case.errors, case.errors
        print(f"{case.name:32} 1 row, marked {row['cpu_method']}")

        case = Case(folder, "srun -n2, whole machine", env)
        case.run("srun", "-n2", "--overcommit", *tracked, ECO2AI_CPU_PROCESSES="all")
        first, second = sorted(case.rows(), key=lambda row: row["rank"])
        assert first["cpu_method"] == "estimated:given", first
        assert float(first["own_energy(kWh)"]) > 0, first
        assert second["cpu_method"] == "included", second
        assert float(second["own_energy(kWh)"]) == 0 and second["cpu_energy(kWh)"] == "", second
        print(f"{case.name:32} counted by rank 0; rank 1 is {second['cpu_method']}")

        by_job = subprocess.run(
            [eco2ai, "summary", "--by", "job", f"{folder}/srun_-n2,_tracked/logs"],
            capture_output=True, text=True, check=True,
        )
        print(by_job.stdout)


if __name__ == "__main__":
    if platform.system() != "Linux" or os.geteuid() != 0 or not shutil.which("dpkg"):
        sys.exit("needs Debian or Ubuntu, as root")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    main(*map(os.path.abspath, sys.argv[1:3]))
