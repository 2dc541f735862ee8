//! The names of Arm cores, of which Linux prints two numbers: implementer and part. Source: Linux,
//! `arch/arm/include/asm/cputype.h` and `arch/arm64/include/asm/cputype.h`; that the Snapdragon X2 has
//! part 2 of Qualcomm is seen in `/proc/cpuinfo` of such machines.
//!
//! The two kinds of cores of an Apple chip have two numbers and get the name of the chip. Part 0 of
//! Apple is a virtual machine's, which hides the chip.

/// Returns the name of the core with these numbers, as printed by Linux in hexadecimal.
pub(crate) fn name(implementer: &str, part: &str) -> Option<&'static str> {
    let name = match (implementer, part) {
        ("0x41", "0xb76") => "ARM1176",
        ("0x41", "0xc07") => "Cortex-A7",
        ("0x41", "0xc08") => "Cortex-A8",
        ("0x41", "0xc09") => "Cortex-A9",
        ("0x41", "0xc0e") => "Cortex-A17",
        ("0x41", "0xc0f") => "Cortex-A15",
        ("0x41", "0xd03") => "Cortex-A53",
        ("0x41", "0xd04") => "Cortex-A35",
        ("0x41", "0xd05") => "Cortex-A55",
        ("0x41", "0xd07") => "Cortex-A57",
        ("0x41", "0xd08") => "Cortex-A72",
        ("0x41", "0xd09") => "Cortex-A73",
        ("0x41", "0xd0a") => "Cortex-A75",
        ("0x41", "0xd0b") => "Cortex-A76",
        ("0x41", "0xd0c") => "Neoverse-N1",
        ("0x41", "0xd0d") => "Cortex-A77",
        ("0x41", "0xd0e") => "Cortex-A76AE",
        ("0x41", "0xd40") => "Neoverse-V1",
        ("0x41", "0xd41") => "Cortex-A78",
        ("0x41", "0xd42") => "Cortex-A78AE",
        ("0x41", "0xd44") => "Cortex-X1",
        ("0x41", "0xd46") => "Cortex-A510",
        ("0x41", "0xd47") => "Cortex-A710",
        ("0x41", "0xd48") => "Cortex-X2",
        ("0x41", "0xd49") => "Neoverse-N2",
        ("0x41", "0xd4b") => "Cortex-A78C",
        ("0x41", "0xd4c") => "Cortex-X1C",
        ("0x41", "0xd4d") => "Cortex-A715",
        ("0x41", "0xd4e") => "Cortex-X3",
        ("0x41", "0xd4f") => "Neoverse-V2",
        ("0x41", "0xd80") => "Cortex-A520",
        ("0x41", "0xd81") => "Cortex-A720",
        ("0x41", "0xd82") => "Cortex-X4",
        ("0x41", "0xd83") => "Neoverse-V3AE",
        ("0x41", "0xd84") => "Neoverse-V3",
        ("0x41", "0xd85") => "Cortex-X925",
        ("0x41", "0xd87") => "Cortex-A725",
        ("0x41", "0xd89") => "Cortex-A720AE",
        ("0x41", "0xd8b") => "C1-Pro",
        ("0x41", "0xd8c") => "C1-Ultra",
        ("0x41", "0xd8e") => "Neoverse-N3",
        ("0x41", "0xd90") => "C1-Premium",
        ("0x42", "0x100") => "Brahma-B53",
        ("0x42", "0x516") | ("0x43", "0x0af") => "ThunderX2",
        ("0x43", "0x0a1" | "0x0a2" | "0x0a3") => "ThunderX",
        ("0x46", "0x001") => "A64FX",
        ("0x48", "0xd01") => "Kunpeng-920",
        ("0x48", "0xd02") => "HiSilicon HIP09",
        ("0x48", "0xd06") => "HiSilicon HIP12",
        ("0x4e", "0x003") => "NVIDIA Denver 2",
        ("0x4e", "0x004") => "NVIDIA Carmel",
        ("0x4e", "0x010") => "NVIDIA Olympus",
        ("0x50", "0x000") => "X-Gene",
        ("0x51", "0x001" | "0x002") => "Qualcomm Oryon",
        ("0x51", "0x200") => "Qualcomm Kryo",
        ("0x51", "0x800") => "Qualcomm Kryo 2xx Gold",
        ("0x51", "0x801") => "Qualcomm Kryo 2xx Silver",
        ("0x51", "0x802") => "Qualcomm Kryo 3xx Gold",
        ("0x51", "0x803") => "Qualcomm Kryo 3xx Silver",
        ("0x51", "0x804") => "Qualcomm Kryo 4xx Gold",
        ("0x51", "0x805") => "Qualcomm Kryo 4xx Silver",
        ("0x51", "0xc00") => "Qualcomm Falkor",
        ("0x61", "0x022" | "0x023") => "Apple M1",
        ("0x61", "0x024" | "0x025") => "Apple M1 Pro",
        ("0x61", "0x028" | "0x029") => "Apple M1 Max",
        ("0x61", "0x032" | "0x033") => "Apple M2",
        ("0x61", "0x034" | "0x035") => "Apple M2 Pro",
        ("0x61", "0x038" | "0x039") => "Apple M2 Max",
        ("0x6d", "0xd49") => "Azure Cobalt 100",
        ("0xc0", "0xac3") => "Ampere-1",
        ("0xc0", "0xac4") => "Ampere-1A",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn both_numbers_decide() {
        assert_eq!(name("0x41", "0xd49"), Some("Neoverse-N2"));
        assert_eq!(name("0x6d", "0xd49"), Some("Azure Cobalt 100"), "of the same part number");
        assert_eq!(name("0x61", "0x023"), Some("Apple M1"));
        assert_eq!(name("0x61", "0x000"), None, "a virtual machine");
        assert_eq!(name("0x41", "0x001"), None);
    }
}
