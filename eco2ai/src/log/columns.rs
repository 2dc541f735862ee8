//! The columns of a log: their names and their order.

/// The number of Eco2AI's columns, which come first.
pub(crate) const ECO2AI_COLUMNS: usize = 13;

macro_rules! columns {
    ($($name:ident = $text:literal,)*) => {
        /// A column of the log, in the order of the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Column { $($name,)* }

        /// The names of all columns, in the order of the file.
        pub(crate) const NAMES: [&str; [$(Column::$name),*].len()] = [$($text,)*];

        /// All columns, in the order of the file.
        pub(crate) const ALL: [Column; NAMES.len()] = [$(Column::$name,)*];
    };
}

columns! {
    Id = "id",
    Project = "project_name",
    Description = "experiment_description",
    Epoch = "epoch",
    StartTime = "start_time",
    Duration = "duration(s)",
    Power = "power_consumption(kWh)",
    Co2 = "CO2_emissions(kg)",
    CpuName = "CPU_name",
    GpuName = "GPU_name",
    Os = "OS",
    Place = "region/country",
    Cost = "cost",
    ParentId = "parent_id",
    Function = "function",
    Status = "status",
    Calls = "calls",
    Scope = "scope",
    OwnEnergy = "own_energy(kWh)",
    OwnCo2 = "own_CO2(kg)",
    OwnCost = "own_cost",
    ProcessEnergy = "process_energy(kWh)",
    CpuEnergy = "cpu_energy(kWh)",
    GpuEnergy = "gpu_energy(kWh)",
    RamEnergy = "ram_energy(kWh)",
    OtherEnergy = "other_energy(kWh)",
    CpuMethod = "cpu_method",
    GpuMethod = "gpu_method",
    RamMethod = "ram_method",
    OtherMethod = "other_method",
    EmissionLevel = "emission_level(kg/MWh)",
    EmissionSource = "emission_source",
    Pue = "pue",
    Hostname = "hostname",
    Pid = "pid",
    Version = "version",
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
        use Column::{
            CpuMethod, CpuName, Description, EmissionSource, Epoch, Function, GpuMethod, GpuName,
            Hostname, Id, Os, OtherMethod, ParentId, Place, Project, RamMethod, Version,
        };
        matches!(
            self,
            Id | Project
                | Description
                | Epoch
                | CpuName
                | GpuName
                | Os
                | Place
                | ParentId
                | Function
                | CpuMethod
                | GpuMethod
                | RamMethod
                | OtherMethod
                | EmissionSource
                | Hostname
                | Version
        )
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
