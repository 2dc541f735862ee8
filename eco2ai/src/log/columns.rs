//! The columns of a log: their names, their order, and their fields of the record.

/// The number of Eco2AI's columns, which come first.
pub(crate) const ECO2AI_COLUMNS: usize = 13;

/// Passes the table of all columns to the macro `$then`, in the order of the file: the name of each
/// column in the code, what its cells hold, whether the rows of a context have it in common, its name in
/// the header, and its field of the record.
macro_rules! with_columns {
    ($then:ident) => {
        $then! {
            Id: Text Own = "id" => id,
            Project: Text Common = "project_name" => project,
            Description: Text Common = "experiment_description" => description,
            Epoch: Text Own = "epoch" => epoch,
            StartTime: Plain Own = "start_time" => start_time,
            Duration: Plain Own = "duration(s)" => duration,
            Power: Plain Own = "power_consumption(kWh)" => energy,
            Co2: Plain Own = "CO2_emissions(kg)" => co2,
            CpuName: Text Common = "CPU_name" => cpu_name,
            GpuName: Text Common = "GPU_name" => gpu_name,
            Os: Text Common = "OS" => os,
            Place: Text Common = "region/country" => place,
            Cost: Plain Own = "cost" => cost,
            ParentId: Text Own = "parent_id" => parent_id,
            Function: Text Common = "function" => function,
            Status: Plain Own = "status" => status,
            Calls: Plain Own = "calls" => calls,
            Scope: Plain Own = "scope" => scope,
            OwnEnergy: Plain Own = "own_energy(kWh)" => own_energy,
            OwnCo2: Plain Own = "own_CO2(kg)" => own_co2,
            OwnCost: Plain Own = "own_cost" => own_cost,
            ProcessEnergy: Plain Own = "process_energy(kWh)" => process_energy,
            CpuEnergy: Plain Own = "cpu_energy(kWh)" => cpu_energy,
            GpuEnergy: Plain Own = "gpu_energy(kWh)" => gpu_energy,
            RamEnergy: Plain Own = "ram_energy(kWh)" => ram_energy,
            OtherEnergy: Plain Own = "other_energy(kWh)" => other_energy,
            CpuMethod: Text Common = "cpu_method" => cpu_method,
            GpuMethod: Text Common = "gpu_method" => gpu_method,
            RamMethod: Text Common = "ram_method" => ram_method,
            OtherMethod: Text Common = "other_method" => other_method,
            EmissionLevel: Plain Common = "emission_level(kg/MWh)" => emission_level,
            EmissionSource: Text Common = "emission_source" => emission_source,
            Pue: Plain Common = "pue" => pue,
            Hostname: Text Common = "hostname" => hostname,
            Pid: Plain Common = "pid" => pid,
            Version: Text Common = "version" => version,
            PowerLow: Plain Own = "power_consumption_low(kWh)" => energy_low,
            PowerHigh: Plain Own = "power_consumption_high(kWh)" => energy_high,
            Job: Text Common = "job" => job,
            Rank: Plain Common = "rank" => rank,
            IdleEnergy: Plain Own = "idle_energy(kWh)" => idle_energy,
            User: Text Common = "user" => user,
        }
    };
}
pub(crate) use with_columns;

macro_rules! define_columns {
    ($($name:ident: $holds:ident $varies:ident = $text:literal => $field:ident,)*) => {
        /// A column of the log, in the order of the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Column { $($name,)* }

        /// The names of all columns, in the order of the file.
        pub(crate) const NAMES: [&str; [$(Column::$name),*].len()] = [$($text,)*];

        /// All columns, in the order of the file.
        pub(crate) const ALL: [Column; NAMES.len()] = [$(Column::$name,)*];

        /// Whether each column holds text, in the order of the file.
        const HOLD_TEXT: [bool; NAMES.len()] = [$(matches!(Holds::$holds, Holds::Text),)*];

        /// Whether the rows of a context have each column in common, in the order of the file.
        const COMMON: [bool; NAMES.len()] = [$(matches!(Varies::$varies, Varies::Common),)*];
    };
}
with_columns!(define_columns);

/// What the cells of a column hold.
enum Holds {
    /// Text of the user or the machine.
    Text,
    /// A number, a time or a word of this library's own.
    Plain,
}

/// How a column varies from row to row.
enum Varies {
    /// The same in all rows of a function with the same parameters, while its sensors are read the same
    /// way.
    Common,
    /// Each row's own.
    Own,
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

    /// Returns whether the rows of a function with the same parameters have the same cell, while its
    /// sensors are read the same way.
    pub(crate) fn is_common(self) -> bool {
        COMMON[self as usize]
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
