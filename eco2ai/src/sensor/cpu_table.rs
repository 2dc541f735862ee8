//! The table of thermal design powers, and the lookup of a processor by its name.
//!
//! The name is normalised to the spelling of the table, and must then match exactly: clouds hide
//! and rename processors, and a wrong match is worse than none. For figures and sources see
//! `data/README.md`.

#[cfg(test)]
mod names_test;

use std::cmp::Ordering;

use crate::units::Watts;

/// `model,tdp_w,cores,threads`, sorted by the model in lower case.
static TABLE: &str = include_str!("../../data/cpu_tdp.csv");

/// A processor of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    /// The name in the table.
    pub(crate) model: &'static str,
    /// The thermal design power of one socket.
    pub(crate) tdp: Watts,
    pub(crate) cores: Option<u32>,
    threads: Option<u32>,
}

impl Part {
    /// Whether the row is that of a kind of Arm core: of a chip with the row's number of such cores,
    /// while other chips have more or fewer of them.
    pub(crate) fn is_kind_of_core(&self) -> bool {
        self.model.starts_with("Cortex-")
    }

    /// Hardware threads of one socket: as the table says, else twice the cores on families with
    /// simultaneous multithreading, else the cores.
    pub(crate) fn threads(&self) -> Option<u32> {
        self.threads.or_else(|| {
            let per_core = if has_two_threads_per_core(self.model) { 2 } else { 1 };
            self.cores.and_then(|cores| cores.checked_mul(per_core))
        })
    }
}

/// Finds the row of a processor by its name as printed by the system.
pub(crate) fn find(brand: &str) -> Option<Part> {
    let words = normalize(brand);
    let name = words.join(" ");
    look_up(&name).or_else(|| find_old_spelling(&words))
}

/// Spellings of old Intel parts that leave out or move a piece of the model: the one model of the
/// table that they can mean.
fn find_old_spelling(words: &[String]) -> Option<Part> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let candidates: Vec<String> = match words[..] {
        // `Core(TM)2 CPU 6600` (E6600)
        ["core", "2", number] if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            vec![format!("core 2 duo e{number}")]
        }
        // `Core(TM)2 CPU T7200`
        ["core", "2", number] => {
            ["duo", "extreme", "quad"].map(|kind| format!("core 2 {kind} {number}")).into()
        }
        // `Core(TM)2 Extreme CPU Q6850`
        ["core", "2", "extreme", number] => vec![format!("core 2 extreme q{number}")],
        // `Core(TM) i7 CPU 870`
        ["core", kind @ ("i3" | "i5" | "i7"), number] => vec![format!("core {kind}-{number}")],
        // `Core(TM) i7 CPU K 875`, `Core(TM) i7 CPU Q 720` (720QM)
        ["core", kind @ ("i3" | "i5" | "i7"), letter, number] if letter.len() == 1 => {
            ["", "m"].map(|mobile| format!("core {kind}-{number}{letter}{mobile}")).into()
        }
        // `Atom(TM) Processor E3930`
        ["atom", number] => ["x5", "x7"].map(|line| format!("atom {line}-{number}")).into(),
        // `Xeon(R) CPU E7- 8870`
        ["xeon", line @ ("e7-" | "e3-" | "e5-"), number] => vec![format!("xeon {line}{number}")],
        // `Xeon(R) CPU E5-2670 0`: the first of its line, before there was a v2
        ["xeon", model, "0"] if model.starts_with('e') => vec![format!("xeon {model}")],
        // `Xeon(R) CPU E31245`
        ["xeon", model] => match model.strip_prefix("e3") {
            Some(number) if number.starts_with("12") => vec![format!("xeon e3-{number}")],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let mut found = candidates.iter().filter_map(|name| look_up(name));
    let only = found.next();
    if found.next().is_some() { None } else { only }
}

/// Normalises a name to the spelling of the table, in lower case, word by word.
fn normalize(brand: &str) -> Vec<String> {
    let mut text = brand.to_ascii_lowercase();
    // The replacement character stands for a mark that is not UTF-8.
    for mark in ["(r)", "(tm)", "®", "\u{fffd}"] {
        text = text.replace(mark, "™");
    }
    text = text.replace("core™2", "core 2").replace('™', "");
    // The clock, the graphics and what follows a comma are no part of the model.
    for end in ["@", ",", " with ", " w/", " radeon", " creator edition"] {
        if let Some(at) = text.find(end) {
            text.truncate(at);
        }
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.retain(|word| !is_noise(word));
    // `Dual Core Processor`: two words, of which `core` is a family elsewhere.
    if let Some(at) = words.windows(2).position(|pair| matches!(pair, ["dual" | "quad", "core"])) {
        words.drain(at..at + 2);
    }
    // `12th Gen`
    if let [generation, "gen", ..] = words[..]
        && generation.ends_with("th")
    {
        words.drain(..2);
    }
    // The table names the maker only where one word would be left.
    if words.len() > 2 {
        words.retain(|word| !matches!(*word, "amd" | "intel"));
    }
    // `Pentium(R) Dual CPU E2160`
    if let ["pentium", "dual", _] = words[..] {
        words.remove(1);
    }
    words.into_iter().map(Into::into).collect()
}

/// Words that do not help to identify a processor.
fn is_noise(word: &str) -> bool {
    let counts_cores =
        word.strip_suffix("-core").or_else(|| word.strip_suffix("-cores")).is_some_and(|count| {
            matches!(count, "dual" | "triple" | "quad" | "six" | "eight" | "twelve" | "sixteen")
                || count.parse::<u32>().is_ok()
        });
    counts_cores
        || matches!(word, "cpu" | "processor" | "apu" | "soc" | "technology")
        // The graphics of an APU: `A10-8700B R6`.
        || matches!(word, "r2" | "r3" | "r4" | "r5" | "r6" | "r7")
}

/// Searches the table for a model by bisection, ignoring case.
fn look_up(name: &str) -> Option<Part> {
    let mut rest = TABLE.split_once('\n')?.1;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let middle = bytes.len() / 2;
        let start = bytes
            .get(..middle)?
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let line = rest.get(start..)?.lines().next()?;
        let model = line.split(',').next()?;
        let order = model.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(name.bytes());
        match order {
            Ordering::Equal => return parse(line),
            Ordering::Greater => rest = rest.get(..start)?,
            Ordering::Less => rest = rest.get(start + line.len() + 1..)?,
        }
    }
    None
}

fn parse(line: &'static str) -> Option<Part> {
    let mut fields = line.split(',');
    Some(Part {
        model: fields.next()?,
        tdp: Watts(fields.next()?.parse().ok()?),
        cores: fields.next().and_then(|cores| cores.parse().ok()),
        threads: fields.next().and_then(|threads| threads.parse().ok()),
    })
}

/// Families, or parts of a family, whose cores have one thread where their like have two.
const ONE_THREAD_PER_CORE: [&str; 27] = [
    "xeon 3",
    "xeon x3",
    "xeon 51",
    "xeon 53",
    "xeon 54",
    "xeon e54",
    "xeon x54",
    "xeon l54",
    "xeon bronze",
    "xeon e3-1220 ",
    "xeon e3-1225",
    "xeon e3-1226",
    "xeon e5-1603",
    "xeon e5-1607",
    "xeon e5-2603",
    "xeon e5-2609",
    "xeon e-2124",
    "xeon e-2126",
    "xeon e-2134e",
    "xeon e-2224",
    "xeon e-2226",
    "xeon e-2314",
    "xeon e-2324",
    "core i7-9700",
    "core i3-8100",
    "core i3-9100",
    "core i3-n3",
];

/// Whether the cores of a part have two hardware threads each, by its family. Where a family is
/// mixed, its larger half decides.
fn has_two_threads_per_core(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    let starts_with_any = |starts: &[&str]| starts.iter().any(|start| model.starts_with(start));
    // Sierra Forest (`Xeon 6780E`) has efficient cores only.
    let is_efficient_xeon = model.starts_with("xeon 6") && model.ends_with('e');
    if is_efficient_xeon || starts_with_any(&ONE_THREAD_PER_CORE) {
        return false;
    }
    starts_with_any(&["xeon", "epyc", "ryzen", "core i7-", "core i9-", "core i3-"])
        // The desktop's i5 got it with the tenth generation; the mobile ones end in U, Y or G.
        || (model.starts_with("core i5-")
            && (model.starts_with("core i5-10") || model.ends_with(['u', 'y'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_of_its_rows_is_found() {
        let mut last = String::new();
        for line in TABLE.lines().skip(1) {
            let model = line.split(',').next().unwrap().to_ascii_lowercase();
            assert!(last < model, "{model} stands after {last}");
            let part = look_up(&model).unwrap();
            assert_eq!(part.model.to_ascii_lowercase(), model);
            assert!(part.tdp.0 > 0.0 && part.tdp.0 < 2000.0, "{part:?}");
            last = model;
        }
    }

    #[test]
    fn unknown_threads_follow_the_family() {
        let threads = |brand| find(brand).unwrap().threads();
        assert_eq!(threads("AMD EPYC 7302P 16-Core Processor"), Some(32), "the table says so");
        assert_eq!(threads("Intel(R) Xeon(R) Gold 6238 CPU @ 2.10GHz"), Some(44));
        assert_eq!(threads("Intel(R) Xeon(R) Bronze 3104 CPU @ 1.70GHz"), Some(6));
        assert_eq!(threads("Intel(R) Core(TM) i7-4790K CPU @ 4.00GHz"), Some(8));
        assert_eq!(threads("Intel(R) Celeron(R) CPU G3900 @ 2.80GHz"), Some(2));
        assert_eq!(threads("AMD EPYC 7V13 64-Core Processor"), None, "cores unknown");
    }
}
