//! The microarchitecture of a server processor, by the numbers with which it identifies itself.
//!
//! The table holds the parts that servers are built with. Some dies are sold for servers as well as
//! for clients, and some numbers are those of two parts; a row then applies only if the name of the
//! processor contains the given text. A hypervisor may show other numbers or another name. What
//! matches no row has no microarchitecture here, which is better than a wrong one. For the sources
//! see `data/README.md`.

/// Sorted as bytes. No `stepping` means any. `name_contains` is in lower case.
static TABLE: &str = include_str!("../../data/microarchitectures.csv");

/// The numbers with which a processor identifies itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CpuId {
    /// `GenuineIntel`, `AuthenticAMD`; or the implementer of an Arm core, such as `0x41`.
    pub(crate) vendor: String,
    /// 0 for an Arm core, which has none.
    pub(crate) family: u32,
    /// The model, or the part number of an Arm core.
    pub(crate) model: u32,
    pub(crate) stepping: Option<u32>,
}

impl CpuId {
    /// Reads the numbers from the fields of `/proc/cpuinfo`. `None` for other architectures.
    #[cfg(target_os = "linux")]
    pub(crate) fn from_fields(field: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| parse(&field(name)?);
        if let Some(vendor) = field("vendor_id") {
            return Some(Self {
                vendor,
                family: number("cpu family")?,
                model: number("model")?,
                stepping: number("stepping"),
            });
        }
        Some(Self {
            vendor: field("CPU implementer")?,
            family: 0,
            model: number("CPU part")?,
            stepping: None,
        })
    }
}

/// Finds the microarchitecture of a server processor with these numbers and this name.
pub(crate) fn find(id: &CpuId, name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().replace("(r)", "");
    if is_no_server(&name) {
        return None;
    }
    TABLE.lines().skip(1).find_map(|line| {
        let mut cells = line.split(',');
        let mut next = || cells.next();
        let (vendor, family) = (next()?, parse(next()?)?);
        let (model_from, model_to) = (parse(next()?)?, parse(next()?)?);
        let steppings = (parse(next()?), parse(next()?));
        let (name_contains, microarchitecture) = (next()?, next()?);
        let has_stepping = match steppings {
            (Some(from), Some(to)) => id.stepping.is_some_and(|it| (from..=to).contains(&it)),
            _ => true,
        };
        let applies = vendor == id.vendor
            && family == id.family
            && (model_from..=model_to).contains(&id.model)
            && has_stepping
            && name.contains(name_contains);
        applies.then_some(microarchitecture)
    })
}

/// Iterates over the names of the table.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.lines().skip(1).filter_map(|line| line.rsplit(',').next())
}

/// Whether a Xeon is made for workstations (`Xeon W-2255`, `Xeon w9-3495X`) or laptops
/// (`Xeon E-2176M`), which are not built as servers are. `name` is in lower case.
fn is_no_server(name: &str) -> bool {
    name.split_ascii_whitespace().any(|word| {
        let is_workstation = word.strip_prefix('w').is_some_and(|rest| {
            rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('-')
        });
        let is_laptop = word.starts_with('e') && word.contains('-') && word.ends_with('m');
        is_workstation || is_laptop
    })
}

/// A number, in hexadecimal after `0x`.
fn parse(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn x86(vendor: &str, family: u32, model: u32, stepping: u32) -> CpuId {
        CpuId { vendor: vendor.into(), family, model, stepping: Some(stepping) }
    }

    fn intel(model: u32, stepping: u32) -> Option<&'static str> {
        find(&x86("GenuineIntel", 6, model, stepping), "Intel(R) Xeon(R) CPU @ 2.20GHz")
    }

    #[test]
    fn every_row_is_found_at_both_ends_of_its_range_and_the_table_is_sorted() {
        let rows: Vec<&str> = TABLE.lines().skip(1).collect();
        assert!(rows.is_sorted());
        assert!(rows.len() > 40);
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            let [vendor, family, from, to, stepping_from, stepping_to, contains, name] = cells[..]
            else {
                panic!("{row}");
            };
            for model in [from, to] {
                for stepping in [stepping_from, stepping_to] {
                    let id = CpuId {
                        vendor: vendor.into(),
                        family: parse(family).unwrap(),
                        model: parse(model).unwrap(),
                        stepping: parse(stepping).or(Some(1)),
                    };
                    let brand = format!("{}X", contains.to_uppercase());
                    assert_eq!(find(&id, &brand), Some(name), "{row}");
                    if !contains.is_empty() {
                        assert_eq!(find(&id, "Common KVM processor"), None, "{row}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_numbers_6_85_are_three_parts_by_their_stepping() {
        for (stepping, name) in [
            (3, "Skylake server"),
            (4, "Skylake server"),
            (5, "Cascade Lake"),
            (6, "Cascade Lake"),
            (7, "Cascade Lake"),
            (10, "Cooper Lake"),
            (11, "Cooper Lake"),
        ] {
            assert_eq!(intel(85, stepping), Some(name), "{stepping}");
        }
        assert_eq!(intel(85, 16), None);
        let hidden = CpuId { stepping: None, ..x86("GenuineIntel", 6, 85, 0) };
        assert_eq!(find(&hidden, "Intel(R) Xeon(R) Processor"), None);
    }

    #[test]
    fn what_lies_beside_a_range_is_not_in_it() {
        let amd = |family, model| find(&x86("AuthenticAMD", family, model, 1), "AMD EPYC");
        assert_eq!(amd(25, 1), Some("Milan"));
        assert_eq!(amd(25, 2), None);
        assert_eq!((amd(25, 15), amd(25, 16)), (None, Some("Genoa")));
        assert_eq!((amd(25, 31), amd(25, 32)), (Some("Genoa"), None));
        assert_eq!((amd(26, 31), amd(26, 32)), (Some("Turin"), None));
        assert_eq!(amd(24, 1), None, "the family is another");
        assert_eq!((intel(105, 0), intel(107, 0)), (None, None));
    }

    #[test]
    fn a_die_of_clients_counts_only_under_the_name_of_a_server() {
        let rome = x86("AuthenticAMD", 23, 49, 0);
        assert_eq!(find(&rome, "AMD EPYC 7B12"), Some("Rome"));
        assert_eq!(find(&rome, "AMD Ryzen Threadripper 3990X 64-Core Processor"), None);
        let skylake = x86("GenuineIntel", 6, 85, 4);
        assert_eq!(find(&skylake, "Intel(R) Core(TM) i9-7900X CPU @ 3.30GHz"), None);
        assert_eq!(find(&skylake, "Intel(R) Xeon(R) W-2155 CPU @ 3.30GHz"), None);
        let sapphire = x86("GenuineIntel", 6, 143, 8);
        assert_eq!(find(&sapphire, "Intel(R) Xeon(R) w9-3495X"), None);
        assert_eq!(find(&sapphire, "Intel(R) Xeon(R) Platinum 8488C"), Some("Sapphire Rapids"));
        let coffee = x86("GenuineIntel", 6, 158, 10);
        assert_eq!(find(&coffee, "Intel(R) Xeon(R) E-2176G CPU @ 3.70GHz"), Some("Coffee Lake"));
        assert_eq!(find(&coffee, "Intel(R) Xeon(R) E-2176M CPU @ 2.70GHz"), None);
        assert_eq!(find(&coffee, "Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz"), None);
    }

    #[test]
    fn two_parts_with_the_same_numbers_are_told_apart_by_name_or_not_at_all() {
        let zen_4c = x86("AuthenticAMD", 25, 160, 2);
        assert_eq!(find(&zen_4c, "AMD EPYC 9754 128-Core Processor"), Some("Bergamo"));
        assert_eq!(find(&zen_4c, "AMD EPYC 8534P 64-Core Processor"), Some("Siena"));
        assert_eq!(find(&zen_4c, "AMD EPYC"), None);
    }

    #[test]
    fn numbers_that_hypervisors_make_up_match_nothing() {
        for (vendor, family, model, stepping, name) in [
            // QEMU: qemu64, kvm64, Nehalem, Westmere, Haswell, the first Icelake-Server.
            ("AuthenticAMD", 15, 107, 1, "QEMU Virtual CPU version 2.5+"),
            ("GenuineIntel", 15, 6, 1, "Common KVM processor"),
            ("GenuineIntel", 6, 26, 3, "Intel Core i7 9xx (Nehalem Class Core i7)"),
            ("GenuineIntel", 6, 44, 1, "Westmere E56xx/L56xx/X56xx (Nehalem-C)"),
            ("GenuineIntel", 6, 60, 4, "Intel Core Processor (Haswell, no TSX)"),
            ("GenuineIntel", 6, 134, 0, "Intel Xeon Processor (Icelake)"),
        ] {
            assert_eq!(find(&x86(vendor, family, model, stepping), name), None, "{name}");
        }
        let cascade = x86("GenuineIntel", 6, 85, 6);
        assert_eq!(find(&cascade, "Intel Xeon Processor (Cascadelake)"), Some("Cascade Lake"));
    }
}
