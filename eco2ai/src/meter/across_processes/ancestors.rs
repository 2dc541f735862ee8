//! The processes above this one, by which an ancestor knows that its energy includes ours.

use std::fmt;
use std::fs;

/// The largest number of processes that are followed upwards.
const MAX_ANCESTORS: usize = 64;

/// Stands at the end of a text without all processes.
const CUT_OFF: &str = ",...";

/// A process, which cannot be confused with a later one that has the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    pid: u32,
    /// In ticks since the start of the machine.
    started: u64,
}

/// A process and those above it, as far as its PID namespace shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::meter) struct Ancestors {
    /// The PID namespace; `?` where the system does not report one.
    namespace: String,
    /// The process itself first.
    processes: Vec<Process>,
    /// Whether there are others above, which the system does not show.
    is_cut_off: bool,
}

impl Ancestors {
    /// This process and those above it.
    pub(in crate::meter) fn current() -> Self {
        let namespace = fs::read_link("/proc/self/ns/pid").ok();
        let namespace = namespace.and_then(|link| link.into_os_string().into_string().ok());
        let mut processes = Vec::new();
        let mut next = crate::process::id();
        // The first process of a namespace has the parent 0.
        while next > 0
            && processes.len() < MAX_ANCESTORS
            && let Some((process, parent)) = process_and_parent(next)
        {
            processes.push(process);
            next = parent;
        }
        let namespace = namespace.unwrap_or_else(|| "?".into());
        Self { namespace, processes, is_cut_off: next > 0 }
    }

    /// Parses the text that [`Display`](fmt::Display) wrote.
    pub(in crate::meter) fn parse(namespace: &str, processes: &str) -> Option<Self> {
        let process = |text: &str| {
            let (pid, started) = text.split_once(':')?;
            Some(Process { pid: pid.parse().ok()?, started: started.parse().ok()? })
        };
        let whole = processes.strip_suffix(CUT_OFF);
        let is_cut_off = whole.is_some();
        let words = whole.unwrap_or(processes).split(',').filter(|text| !text.is_empty());
        let processes = words.map(process).collect::<Option<_>>()?;
        Some(Self { namespace: namespace.to_owned(), processes, is_cut_off })
    }

    /// Whether this process is below `other`. `None` if that cannot be known: the two are in
    /// different PID namespaces, or the system does not list all processes.
    pub(in crate::meter) fn is_below(&self, other: &Self) -> Option<bool> {
        if self.namespace != other.namespace || self.namespace == "?" {
            return None;
        }
        let is_below = self.processes.get(1..)?.contains(other.processes.first()?);
        (is_below || !self.is_cut_off).then_some(is_below)
    }
}

impl fmt::Display for Ancestors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.namespace)?;
        for (number, Process { pid, started }) in self.processes.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{pid}:{started}")?;
        }
        f.write_str(if self.is_cut_off { CUT_OFF } else { "" })
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
        assert_eq!(
            inner.is_below(&parse("pid:[1] 20:6,1:0")),
            Some(false),
            "the id was used again"
        );
        assert_eq!(inner.is_below(&parse("pid:[2] 20:5,1:0")), None);
        assert_eq!(inner.is_below(&parse("pid:[1] ")), None);
        let inner = parse("pid:[1] 30:7,20:5,...");
        assert_eq!(inner.is_below(&parse("pid:[1] 20:5,...")), Some(true));
        assert_eq!(inner.is_below(&parse("pid:[1] 10:5,...")), None, "it may be above");
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
