//! The columns of a log: their names and their order.

/// The number of Eco2AI's columns, which come first.
pub(crate) const ECO2AI_COLUMNS: usize = 13;

macro_rules! columns {
    ($($name:ident: $holds:ident = $text:literal,)*) => {
        /// A column of the log, in the order of the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Column { $($name,)* }

        /// The names of all columns, in the order of the file.
        pub(crate) const NAMES: [&str; [$(Column::$name),*].len()] = [$($text,)*];

        /// All columns, in the order of the file.
        pub(crate) const ALL: [Column; NAMES.len()] = [$(Column::$name,)*];

        /// Whether each column holds text, in the order of the file.
        const HOLD_TEXT: [bool; NAMES.len()] = [$(matches!(Holds::$holds, Holds::Text),)*];
    };
}

/// What the cells of a column hold.
enum Holds {
    /// Text of the user or the machine.
    Text,
    /// A number, a time or a word of this library's own.
    Plain,
}

columns! {
    Id: Text = "id",
    Project: Text = "project_name",
    Description: Text = "experiment_description",
    Epoch: Text = "epoch",
    StartTime: Plain = "start_time",
    Duration: Plain = "duration(s)",
    Power: Plain = "power_consumption(kWh)",
    Co2: Plain = "CO2_emissions(kg)",
    CpuName: Text = "CPU_name",
    GpuName: Text = "GPU_name",
    Os: Text = "OS",
    Place: Text = "region/country",
    Cost: Plain = "cost",
    ParentId: Text = "parent_id",
    Function: Text = "function",
    Status: Plain = "status",
    Calls: Plain = "calls",
    Scope: Plain = "scope",
    OwnEnergy: Plain = "own_energy(kWh)",
    OwnCo2: Plain = "own_CO2(kg)",
    OwnCost: Plain = "own_cost",
    ProcessEnergy: Plain = "process_energy(kWh)",
    CpuEnergy: Plain = "cpu_energy(kWh)",
    GpuEnergy: Plain = "gpu_energy(kWh)",
    RamEnergy: Plain = "ram_energy(kWh)",
    OtherEnergy: Plain = "other_energy(kWh)",
    CpuMethod: Text = "cpu_method",
    GpuMethod: Text = "gpu_method",
    RamMethod: Text = "ram_method",
    OtherMethod: Text = "other_method",
    EmissionLevel: Plain = "emission_level(kg/MWh)",
    EmissionSource: Text = "emission_source",
    Pue: Plain = "pue",
    Hostname: Text = "hostname",
    Pid: Plain = "pid",
    Version: Text = "version",
}

impl Column {
    /// Returns the name of the column in the header.
    pub(crate) fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// Returns the column with this name in a header. Early versions of Eco2AI spell two columns
    /// differently.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"power_consumption(kWTh)" => Some(Self::Power),
            b"country" => Some(Self::Place),
            name => ALL.into_iter().find(|column| column.name().as_bytes() == name),
        }
    }

    /// Returns whether the column contains text of the user or the machine, which is guarded
    /// against being taken for a formula.
    pub(crate) fn is_text(self) -> bool {
        HOLD_TEXT[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thirteen_columns_are_those_of_eco2ai() {
        assert_eq!(
            NAMES[..ECO2AI_COLUMNS].join(","),
            "id,project_name,experiment_description,epoch,start_time,duration(s),\
             power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost"
        );
    }
}
