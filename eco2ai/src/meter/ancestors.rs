//! The processes above this one, by which an ancestor knows that its energy includes ours.

use std::fmt;
use std::fs;

/// The largest number of processes that are followed upwards.
const MAX_ANCESTORS: usize = 64;

/// A process, which cannot be confused with a later one that has the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    /// In ticks since the start of the machine.
    started: u64,
}

/// A process and those above it, as far as its PID namespace shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ancestors {
    /// The PID namespace; `?` where the system does not report one.
    namespace: String,
    /// The process itself first.
    processes: Vec<Process>,
}

impl Ancestors {
    /// This process and those above it.
    pub(super) fn current() -> Self {
        let namespace = fs::read_link("/proc/self/ns/pid").ok();
        let namespace = namespace.and_then(|link| link.into_os_string().into_string().ok());
        let mut processes = Vec::new();
        let mut next = Some(crate::process::id());
        while let Some((process, parent)) = next.and_then(process_and_parent)
            && processes.len() < MAX_ANCESTORS
        {
            processes.push(process);
            next = (parent > 0).then_some(parent);
        }
        Self { namespace: namespace.unwrap_or_else(|| "?".into()), processes }
    }

    /// Parses the text that [`Display`](fmt::Display) wrote.
    pub(super) fn parse(namespace: &str, processes: &str) -> Option<Self> {
        let process = |text: &str| {
            let (pid, started) = text.split_once(':')?;
            Some(Process { pid: pid.parse().ok()?, started: started.parse().ok()? })
        };
        let processes = processes.split(',').filter(|text| !text.is_empty()).map(process);
        Some(Self { namespace: namespace.to_owned(), processes: processes.collect::<Option<_>>()? })
    }

    /// Whether this process is below `other`. `None` if that cannot be known: the two are in
    /// different PID namespaces, or the system does not list processes.
    pub(super) fn is_below(&self, other: &Self) -> Option<bool> {
        let known = self.namespace == other.namespace && self.namespace != "?";
        let own = self.processes.get(1..)?;
        let other = other.processes.first()?;
        known.then(|| own.contains(other))
    }
}

impl fmt::Display for Ancestors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.namespace)?;
        for (number, Process { pid, started }) in self.processes.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{pid}:{started}")?;
        }
        Ok(())
    }
}

/// The process with that id, and the id of its parent.
fn process_and_parent(pid: u32) -> Option<(Process, u32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc_pid_stat(5). The name of the program may contain blanks and brackets.
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some((Process { pid, started }, parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Ancestors {
        let (namespace, processes) = text.split_once(' ').unwrap();
        Ancestors::parse(namespace, processes).unwrap()
    }

    #[test]
    fn a_process_is_below_those_above_it_in_its_namespace() {
        let inner = parse("pid:[1] 30:7,20:5,1:0");
        assert_eq!(inner.is_below(&parse("pid:[1] 20:5,1:0")), Some(true));
        assert_eq!(inner.is_below(&inner), Some(false));
        assert_eq!(inner.is_below(&parse("pid:[1] 20:6,1:0")), Some(false), "the id was used again");
        assert_eq!(inner.is_below(&parse("pid:[2] 20:5,1:0")), None);
        assert_eq!(inner.is_below(&parse("pid:[1] ")), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_below_its_parent() {
        let own = Ancestors::current();
        assert_eq!(parse(&own.to_string()), own);
        let parent = Ancestors { processes: own.processes[1..].to_vec(), ..own.clone() };
        assert_eq!(own.is_below(&parent), Some(true));
    }
}
