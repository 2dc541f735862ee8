//! The job that this process belongs to, and its rank, from the variables that launchers set.
//!
//! Launchers nest: a job of Slurm may run `mpirun`, whose processes run `torchrun`. The job is that
//! of the outermost, because all processes of the job share it. The rank is that of the innermost,
//! because it numbers all processes of the job, while the outer ones only number those that they
//! started themselves, such as one agent per node.

use std::sync::OnceLock;

use crate::carbon::table::Table;

/// The variables of each launcher, from the outermost launcher to the innermost. Sources: see
/// `data/README.md`.
const LAUNCHERS: &str = include_str!("../data/job_environment.csv");

/// The columns of the table.
mod column {
    pub(super) const LAUNCHER: usize = 0;
    pub(super) const JOB: usize = 1;
    pub(super) const ARRAY_TASK: usize = 2;
    pub(super) const FIRST_ARRAY_TASK: usize = 3;
    pub(super) const RANK: usize = 4;
    pub(super) const LOCAL_RANK: usize = 5;
    pub(super) const REQUIRES: usize = 6;
}

/// The job of a process.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Job {
    /// The launcher and its name for the job, such as `slurm:1234`, and `slurm:1234_7` in an array.
    pub(crate) name: Option<String>,
    /// The rank among all processes of the job.
    pub(crate) rank: Option<u32>,
    /// Whether a launcher started another process of the job on this machine before this one.
    is_later_on_machine: bool,
}

/// Returns the job of this process. The environment is read once.
pub(crate) fn job() -> &'static Job {
    static JOB: OnceLock<Job> = OnceLock::new();
    JOB.get_or_init(|| {
        Job::from_variables(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    })
}

impl Job {
    /// Returns whether runs of the whole machine count its energy in this process: true in the first
    /// process of the job on the machine, and outside a job. Launchers number the processes on each
    /// machine, so all agree without a file or a lock that a process which dies could leave behind.
    pub(crate) fn counts_machine(&self) -> bool {
        !self.is_later_on_machine
    }

    /// Returns the job that the variables of an environment describe.
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        // The first of several names that has a value.
        let value = |names: &str| {
            names.split('|').filter_map(&variable).find(|value| !value.trim().is_empty())
        };
        let mut job = Self::default();
        for launcher in Table::<1>::new(LAUNCHERS).iter() {
            let required = launcher.cell(column::REQUIRES);
            if !required.is_empty() && value(required).is_none() {
                continue;
            }
            let number = |column| value(launcher.cell(column))?.trim().parse::<u32>().ok();
            let rank = number(column::RANK);
            // `none` is the name that torchrun uses where it is given none.
            if job.name.is_none()
                && let Some(id) = value(launcher.cell(column::JOB)).filter(|id| id != "none")
            {
                let first = launcher.cell(column::FIRST_ARRAY_TASK).parse().unwrap_or(0);
                // Outside an array it is missing, `undefined` (SGE) or 0 (LSF).
                let task = number(column::ARRAY_TASK).filter(|task| *task >= first);
                job.name = Some(name(launcher.cell(column::LAUNCHER), id.trim(), task, rank));
            }
            job.rank = rank.or(job.rank);
            // The first agent on a machine may start several ranks, and a later agent a first one.
            job.is_later_on_machine |= number(column::LOCAL_RANK).is_some_and(|rank| rank > 0);
        }
        job
    }
}

fn name(launcher: &str, id: &str, task: Option<u32>, rank: Option<u32>) -> String {
    // The host name of a pod of an indexed job ends with the index, and the others' with theirs.
    let index = rank.map(|rank| format!("-{rank}")).filter(|_| launcher == "k8s");
    let id = index.and_then(|index| id.strip_suffix(&index)).unwrap_or(id);
    let task = task.map(|task| format!("_{task}")).unwrap_or_default();
    format!("{launcher}:{id}{task}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(variables: &[(&str, &str)]) -> (Option<String>, Option<u32>) {
        let job = Job::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        (job.name, job.rank)
    }

    /// Variables, the job that they describe, and the rank.
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, Option<u32>);

    const SRUN: [(&str, &str); 5] = [
        ("SLURM_JOB_ID", "1234"),
        ("SLURM_JOBID", "1234"),
        ("SLURM_PROCID", "1"),
        ("SLURM_LOCALID", "1"),
        ("SLURM_NTASKS", "2"),
    ];
    const MPIRUN: [(&str, &str); 4] = [
        ("PMIX_NAMESPACE", "3411345409"),
        ("PMIX_RANK", "5"),
        ("OMPI_COMM_WORLD_RANK", "5"),
        ("OMPI_COMM_WORLD_LOCAL_RANK", "1"),
    ];
    const TORCHRUN: [(&str, &str); 6] = [
        ("TORCHELASTIC_RUN_ID", "none"),
        ("RANK", "7"),
        ("LOCAL_RANK", "3"),
        ("WORLD_SIZE", "8"),
        ("LOCAL_WORLD_SIZE", "4"),
        ("GROUP_RANK", "1"),
    ];

    #[test]
    fn each_launcher_is_known_by_the_variables_that_it_sets() {
        let cases: [Case<'_>; 19] = [
            (&[], None, None),
            (&SRUN, Some("slurm:1234"), Some(1)),
            (&[("SLURM_JOBID", "12"), ("SLURM_PROCID", "0")], Some("slurm:12"), Some(0)),
            // The shell of `salloc` is no rank.
            (&[("SLURM_JOB_ID", "12")], Some("slurm:12"), None),
            // An array of jobs, whose tasks have numbers of their own and may begin with 0.
            (
                &[
                    ("SLURM_JOB_ID", "1236"),
                    ("SLURM_ARRAY_JOB_ID", "1234"),
                    ("SLURM_ARRAY_TASK_ID", "0"),
                    ("SLURM_PROCID", "0"),
                ],
                Some("slurm:1234_0"),
                Some(0),
            ),
            (&MPIRUN, Some("pmix:3411345409"), Some(5)),
            (
                &[("PMI_JOBID", "7"), ("PMI_RANK", "2"), ("PMI_LOCAL_RANK", "0")],
                Some("pmi:7"),
                Some(2),
            ),
            (&[("MPI_LOCALRANKID", "1"), ("PMI_RANK", "2")], None, Some(2)),
            (&[("PMIX_RANK", "2"), ("PMIX_LOCAL_RANK", "1")], None, Some(2)),
            (&[("MV2_COMM_WORLD_RANK", "3"), ("MV2_COMM_WORLD_LOCAL_RANK", "0")], None, Some(3)),
            (
                &[
                    ("PBS_JOBID", "8.host"),
                    ("PALS_APID", "a-b"),
                    ("PALS_RANKID", "4"),
                    ("PALS_LOCAL_RANKID", "0"),
                ],
                Some("pbs:8.host"),
                Some(4),
            ),
            (
                &[
                    ("FLUX_JOB_ID", "ƒ2oLkTLb"),
                    ("FLUX_TASK_RANK", "6"),
                    ("FLUX_TASK_LOCAL_ID", "2"),
                ],
                Some("flux:ƒ2oLkTLb"),
                Some(6),
            ),
            (
                &[
                    ("LSB_JOBID", "9"),
                    ("LSB_JOBINDEX", "0"),
                    ("JSM_NAMESPACE_RANK", "1"),
                    ("JSM_NAMESPACE_LOCAL_RANK", "1"),
                ],
                Some("lsf:9"),
                Some(1),
            ),
            (&[("LSB_JOBID", "9"), ("LSB_JOBINDEX", "2")], Some("lsf:9_2"), None),
            (
                &[("PBS_JOBID", "1234[7].server"), ("PBS_ARRAY_INDEX", "7")],
                Some("pbs:1234[7].server"),
                None,
            ),
            (&[("JOB_ID", "5"), ("SGE_TASK_ID", "undefined")], Some("sge:5"), None),
            (&[("JOB_ID", "5"), ("SGE_TASK_ID", "3")], Some("sge:5_3"), None),
            (&TORCHRUN, None, Some(7)),
            (
                &[
                    ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
                    ("HOSTNAME", "train-3"),
                    ("JOB_COMPLETION_INDEX", "3"),
                ],
                Some("k8s:train"),
                Some(3),
            ),
        ];
        for (variables, name, rank) in cases {
            assert_eq!(job(variables), (name.map(str::to_owned), rank), "{variables:?}");
        }
        // No launcher of the table is left out.
        let all: Vec<_> = cases.iter().flat_map(|(variables, ..)| *variables).collect();
        for launcher in Table::<1>::new(LAUNCHERS).iter() {
            let columns = [
                column::JOB,
                column::ARRAY_TASK,
                column::RANK,
                column::LOCAL_RANK,
                column::REQUIRES,
            ];
            for column in columns {
                for name in launcher.cell(column).split('|').filter(|name| !name.is_empty()) {
                    assert!(all.iter().any(|(variable, _)| *variable == name), "{name}");
                }
            }
        }
    }

    #[test]
    fn where_launchers_nest_the_job_is_the_outermost_and_the_rank_the_innermost() {
        // `mpirun` in a job script: one daemon per node is a task of Slurm.
        let mpirun: Vec<_> = SRUN.into_iter().chain(MPIRUN).collect();
        assert_eq!(job(&mpirun), (Some("slurm:1234".into()), Some(5)));
        // `srun torchrun`: one agent per node is a task of Slurm.
        let torchrun: Vec<_> = SRUN.into_iter().chain(TORCHRUN).collect();
        assert_eq!(job(&torchrun), (Some("slurm:1234".into()), Some(7)));
        let all: Vec<_> = SRUN.into_iter().chain(MPIRUN).chain(TORCHRUN).collect();
        assert_eq!(job(&all), (Some("slurm:1234".into()), Some(7)));
        // `srun --mpi=pmi2` numbers its tasks twice.
        let pmi = [("PMI_JOBID", "1234.0"), ("PMI_RANK", "1")];
        let pmi: Vec<_> = SRUN.into_iter().chain(pmi).collect();
        assert_eq!(job(&pmi), (Some("slurm:1234".into()), Some(1)));
        // A pod in which `torchrun` starts processes.
        let pod = [("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ("HOSTNAME", "train-x7k2p")];
        let pod: Vec<_> = pod.into_iter().chain(TORCHRUN).collect();
        assert_eq!(job(&pod), (Some("k8s:train-x7k2p".into()), Some(7)));
    }

    #[test]
    fn one_process_of_the_job_counts_the_machine() {
        let counts = |variables: &[&[(&str, &str)]]| {
            let all = variables.concat();
            let find = |name: &str| all.iter().find(|(variable, _)| *variable == name);
            Job::from_variables(|name| Some(find(name)?.1.to_owned())).counts_machine()
        };
        assert!(counts(&[]), "outside a job");
        assert!(!counts(&[&SRUN]), "the second task on the machine");
        let first = [("SLURM_JOB_ID", "1234"), ("SLURM_PROCID", "8"), ("SLURM_LOCALID", "0")];
        assert!(counts(&[&first]), "the first task on another machine");
        // One agent per machine starts the ranks.
        assert!(!counts(&[&first, &TORCHRUN]));
        let first_rank = [("TORCHELASTIC_RUN_ID", "none"), ("RANK", "4"), ("LOCAL_RANK", "0")];
        assert!(counts(&[&first, &first_rank]));
        // Two agents on one machine.
        assert!(!counts(&[&SRUN, &first_rank]));
        assert!(counts(&[&[("LOCAL_RANK", "3")]]), "a name that other programs use too");
    }

    #[test]
    fn names_that_other_programs_use_too_say_nothing_by_themselves() {
        let common = [("JOB_ID", "5"), ("RANK", "1"), ("HOSTNAME", "laptop"), ("WORLD_SIZE", "2")];
        assert_eq!(job(&common), (None, None));
        let blank = [("SLURM_JOB_ID", ""), ("SLURM_JOBID", "12"), ("SLURM_PROCID", "x")];
        assert_eq!(job(&blank), (Some("slurm:12".into()), None));
    }
}
