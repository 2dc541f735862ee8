//! Programs that hand their work to a daemon or to another machine. What they start is not among the
//! processes of the command, so it is not measured.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// When a program hands work over.
enum When {
    Always,
    /// With one of these subcommands.
    Subcommand(&'static [&'static str]),
    /// Without this option.
    Without(&'static str),
    /// If it starts processes on other machines.
    OtherHosts,
}

use When::{Always, OtherHosts, Subcommand, Without};

const IN_A_CONTAINER: &[&str] =
    &["run", "exec", "start", "restart", "compose", "build", "buildx", "create"];

/// The programs, when each hands work over, and the command that measures the work where it is done.
/// `…` stands for the options of the program.
const LAUNCHERS: [(&str, When, &str); 23] = [
    ("srun", Always, "srun … eco2ai run -- COMMAND"),
    ("sbatch", Always, "srun eco2ai run -- COMMAND, in the job script"),
    ("mpirun", OtherHosts, "mpirun … eco2ai run -- COMMAND"),
    ("mpiexec", OtherHosts, "mpiexec … eco2ai run -- COMMAND"),
    ("mpiexec.hydra", OtherHosts, "mpiexec.hydra … eco2ai run -- COMMAND"),
    ("orterun", OtherHosts, "orterun … eco2ai run -- COMMAND"),
    ("prterun", OtherHosts, "prterun … eco2ai run -- COMMAND"),
    ("aprun", Always, "aprun … eco2ai run -- COMMAND"),
    ("jsrun", Always, "jsrun … eco2ai run -- COMMAND"),
    (
        "flux",
        Subcommand(&["run", "submit", "batch", "bulksubmit"]),
        "flux run … eco2ai run -- COMMAND",
    ),
    ("qsub", Always, "eco2ai run -- COMMAND, in the job script"),
    ("qrsh", Always, "qrsh … eco2ai run -- COMMAND"),
    ("bsub", Always, "bsub … eco2ai run -- COMMAND"),
    ("condor_submit", Always, "eco2ai run -- COMMAND, as the executable of the job"),
    ("docker", Subcommand(IN_A_CONTAINER), "docker run … IMAGE eco2ai run -- COMMAND"),
    ("nerdctl", Subcommand(IN_A_CONTAINER), "nerdctl run … IMAGE eco2ai run -- COMMAND"),
    // `podman build` does the work itself.
    (
        "podman",
        Subcommand(&["run", "exec", "start", "restart"]),
        "podman run … IMAGE eco2ai run -- COMMAND",
    ),
    (
        "kubectl",
        Subcommand(&["run", "exec", "apply", "create"]),
        "eco2ai run -- COMMAND, as the command of the container",
    ),
    (
        "oc",
        Subcommand(&["run", "exec", "apply", "create"]),
        "eco2ai run -- COMMAND, as the command of the container",
    ),
    ("ssh", Always, "ssh … eco2ai run -- COMMAND"),
    ("pdsh", Always, "pdsh … eco2ai run -- COMMAND"),
    ("systemd-run", Without("--scope"), "systemd-run … eco2ai run -- COMMAND"),
    ("machinectl", Subcommand(&["shell"]), "machinectl shell … eco2ai run -- COMMAND"),
];

/// Programs that run another one, and their options with a value of its own.
const WRAPPERS: [(&str, &[&str]); 6] = [
    ("env", &["-u", "--unset", "-C", "--chdir"]),
    ("time", &["-f", "--format", "-o", "--output"]),
    ("nice", &["-n", "--adjustment"]),
    ("sudo", &["-u", "--user", "-g", "--group", "-h", "--host", "-p", "-C", "-D", "-T"]),
    ("nohup", &[]),
    ("stdbuf", &["-i", "--input", "-o", "--output", "-e", "--error"]),
];

/// Options of the programs that start MPI processes which name machines, or a file of them.
const HOSTS: [&str; 9] = [
    "-H",
    "-host",
    "--host",
    "-hosts",
    "-f",
    "-hostfile",
    "--hostfile",
    "-machinefile",
    "--machinefile",
];

/// The number of machines of a job, by Slurm and by Flux.
const NODES: [&str; 3] = ["SLURM_JOB_NUM_NODES", "SLURM_NNODES", "FLUX_JOB_NNODES"];

/// A command whose work is done elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Launcher {
    /// The program that hands it over.
    pub(super) name: &'static str,
    /// The command that measures it.
    pub(super) instead: &'static str,
}

/// Returns the program that hands over the work of a command, if there is one.
pub(super) fn find(command: &[OsString]) -> Option<Launcher> {
    find_in(command, |name| std::env::var(name).ok())
}

fn find_in(command: &[OsString], variable: impl Fn(&str) -> Option<String>) -> Option<Launcher> {
    let words: Vec<&str> = command.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let mut words = words.as_slice();
    loop {
        let (program, rest) = words.split_first()?;
        let program = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
        let Some((_, with_value)) = WRAPPERS.iter().find(|(wrapper, _)| *wrapper == program) else {
            let (name, when, instead) = LAUNCHERS.iter().find(|(name, ..)| *name == program)?;
            return hands_over(when, rest, variable).then_some(Launcher { name, instead });
        };
        words = after_options(rest, with_value);
    }
}

/// Returns the command that a wrapper runs: what follows its options and its variables.
fn after_options<'a, 'b>(mut words: &'a [&'b str], with_value: &[&str]) -> &'a [&'b str] {
    while let Some((word, rest)) = words.split_first() {
        if *word == "--" {
            return rest;
        }
        if !word.starts_with('-') && !word.contains('=') {
            break;
        }
        let has_value = with_value.contains(word);
        words = rest.get(usize::from(has_value)..).unwrap_or_default();
    }
    words
}

fn hands_over(when: &When, words: &[&str], variable: impl Fn(&str) -> Option<String>) -> bool {
    match when {
        Always => true,
        // Options before it may have values, so it need not be the first word.
        Subcommand(names) => words.iter().any(|word| names.contains(word)),
        Without(option) => !words.contains(option),
        OtherHosts => {
            let nodes = |name| variable(name)?.trim().parse::<u32>().ok();
            names_other_hosts(words) || NODES.into_iter().filter_map(nodes).any(|nodes| nodes > 1)
        }
    }
}

/// Returns whether the options of `mpirun` name other machines than this one.
fn names_other_hosts(words: &[&str]) -> bool {
    let is_here = |host: &str| {
        let (name, _slots) = host.split_once(':').unwrap_or((host, ""));
        matches!(name, "localhost" | "127.0.0.1") || name == host_name()
    };
    words.windows(2).any(|pair| match pair {
        [option, value] if HOSTS.contains(option) => !value.split(',').all(is_here),
        _ => false,
    })
}

fn host_name() -> String {
    sysinfo::System::host_name().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(command: &str, nodes: Option<&str>) -> Option<&'static str> {
        let command: Vec<OsString> = command.split(' ').map(Into::into).collect();
        let variable = |name: &str| nodes.filter(|_| name == "SLURM_NNODES").map(str::to_owned);
        find_in(&command, variable).map(|launcher| launcher.name)
    }

    #[test]
    fn programs_that_hand_their_work_over_are_known() {
        for (command, name) in [
            ("srun -n2 ./train", "srun"),
            ("/opt/slurm/bin/sbatch job.sh", "sbatch"),
            ("env -u A B=1 srun ./train", "srun"),
            ("nohup nice -n 5 stdbuf -oL time -p -o t srun ./train", "srun"),
            ("sudo -u ada -- docker --context x run image", "docker"),
            ("docker compose up", "docker"),
            ("podman run image", "podman"),
            ("kubectl -n a exec pod -- ./train", "kubectl"),
            ("ssh node1 ./train", "ssh"),
            ("systemd-run --user ./train", "systemd-run"),
            ("flux run -n2 ./train", "flux"),
            ("mpirun -H node1,node2 ./train", "mpirun"),
            ("mpiexec -n 4 -hostfile hosts ./train", "mpiexec"),
        ] {
            assert_eq!(found(command, None), Some(name), "{command}");
        }
        assert_eq!(found("mpirun -n 8 ./train", Some("2")), Some("mpirun"));
    }

    #[test]
    fn work_among_the_processes_of_the_command_is_measured() {
        for command in [
            "./train",
            "echo srun",
            "env",
            "env A=srun ./train",
            "docker ps",
            "podman build .",
            "kubectl get pods",
            "systemd-run --user --scope ./train",
            "flux jobs",
            "mpirun -n 2 ./train",
            "mpirun -H localhost:2 ./train",
        ] {
            assert_eq!(found(command, Some("1")), None, "{command}");
        }
    }
}
