//! Which process a journal belongs to. Where a file system has no locks, this decides whether the
//! owner may still be alive.

use std::fmt;
use std::fs;
use std::sync::OnceLock;

use crate::process::PerProcess;

/// A process, on whatever machine and in whatever container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The machine's name and its id: names alone may be shared.
    host: String,
    /// An id that changes at each start of the machine.
    boot: String,
    /// The namespace in which the process id is valid.
    pid_namespace: String,
    pid: u32,
}

impl Owner {
    /// This process.
    pub(crate) fn current() -> Self {
        static MACHINE: OnceLock<[String; 2]> = OnceLock::new();
        // A process stays in its namespace; a forked child may be in another one.
        static NAMESPACE: PerProcess<String> = PerProcess::new();
        let [host, boot] = MACHINE.get_or_init(|| {
            let word = |path| fs::read_to_string(path).unwrap_or_default();
            let host = sysinfo::System::host_name().unwrap_or_default();
            [
                one_word(&format!("{host}/{}", word("/etc/machine-id").trim())),
                one_word(word("/proc/sys/kernel/random/boot_id").trim()),
            ]
        });
        let namespace = NAMESPACE.get_or_init(|| {
            one_word(&fs::read_link("/proc/self/ns/pid").unwrap_or_default().to_string_lossy())
        });
        Self {
            host: host.clone(),
            boot: boot.clone(),
            pid_namespace: namespace.clone(),
            pid: crate::process::id(),
        }
    }

    /// Parses the text that [`Display`](fmt::Display) wrote.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        let (host, boot, pid_namespace) = (words.next()?, words.next()?, words.next()?);
        let pid = words.next()?.parse().ok()?;
        words.next().is_none().then_some(Self { host, boot, pid_namespace, pid })
    }

    /// The machine, for people.
    pub(crate) fn host_name(&self) -> &str {
        self.host.split_once('/').map_or(&self.host, |(name, _)| name)
    }

    /// Whether it ran on the machine that we run on.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        self.host == Self::current().host
    }

    /// Whether the process has surely ended. False where the system does not say enough, and for
    /// processes of other machines.
    pub(crate) fn is_surely_gone(&self) -> bool {
        let own = Self::current();
        if self.host != own.host || self.boot == UNKNOWN || own.boot == UNKNOWN {
            return false;
        }
        if self.boot != own.boot {
            return true;
        }
        // A journal of our own id that we do not know is of one that had the id before.
        self.pid_namespace == own.pid_namespace
            && (self.pid == own.pid || !process_exists(self.pid))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.host, self.boot, self.pid_namespace, self.pid)
    }
}

/// Stands for a value that the system does not report.
const UNKNOWN: &str = "?";

fn one_word(text: &str) -> String {
    let word = text.replace(|c: char| c.is_whitespace() || c.is_control(), "_");
    if word.is_empty() { UNKNOWN.into() } else { word }
}

/// Whether a process with that id exists here, whoever it belongs to.
#[cfg(unix)]
fn process_exists(pid: u32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // To be refused the permission is a sign of life.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn process_exists(_: u32) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        let own = Owner::current();
        assert_eq!(Owner::parse(&own.to_string()), Some(own));
        assert_eq!(Owner::parse("host boot 7"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_gone_only_where_that_is_sure() {
        let own = Owner::current();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let living = Owner { pid: child.id(), ..own.clone() };
        assert!(!living.is_surely_gone());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(living.is_surely_gone());
        let other_boot = Owner { boot: "other".into(), ..living.clone() };
        assert!(other_boot.is_surely_gone());
        for unknown in [
            Owner { boot: UNKNOWN.into(), ..living.clone() },
            Owner { host: "other".into(), ..other_boot },
            Owner { pid_namespace: "other".into(), ..living },
        ] {
            assert!(!unknown.is_surely_gone(), "{unknown}");
        }
    }
}
