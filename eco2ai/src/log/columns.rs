//! The columns of a log: their names, their order, and their fields of the record.

/// The number of Eco2AI's columns, which come first.
pub(crate) const ECO2AI_COLUMNS: usize = 13;

/// Passes the table of all columns to the macro `$then`, in the order of the file: the name of each
/// column in the code, what its cells hold, its name in the header, and its field of the record.
macro_rules! with_columns {
    ($then:ident) => {
        $then! {
            Id: Text = "id" => id,
            Project: Text = "project_name" => project,
            Description: Text = "experiment_description" => description,
            Epoch: Text = "epoch" => epoch,
            StartTime: Plain = "start_time" => start_time,
            Duration: Plain = "duration(s)" => duration,
            Power: Plain = "power_consumption(kWh)" => energy,
            Co2: Plain = "CO2_emissions(kg)" => co2,
            CpuName: Text = "CPU_name" => cpu_name,
            GpuName: Text = "GPU_name" => gpu_name,
            Os: Text = "OS" => os,
            Place: Text = "region/country" => place,
            Cost: Plain = "cost" => cost,
            ParentId: Text = "parent_id" => parent_id,
            Function: Text = "function" => function,
            Status: Plain = "status" => status,
            Calls: Plain = "calls" => calls,
            Scope: Plain = "scope" => scope,
            OwnEnergy: Plain = "own_energy(kWh)" => own_energy,
            OwnCo2: Plain = "own_CO2(kg)" => own_co2,
            OwnCost: Plain = "own_cost" => own_cost,
            ProcessEnergy: Plain = "process_energy(kWh)" => process_energy,
            CpuEnergy: Plain = "cpu_energy(kWh)" => cpu_energy,
            GpuEnergy: Plain = "gpu_energy(kWh)" => gpu_energy,
            RamEnergy: Plain = "ram_energy(kWh)" => ram_energy,
            OtherEnergy: Plain = "other_energy(kWh)" => other_energy,
            CpuMethod: Text = "cpu_method" => cpu_method,
            GpuMethod: Text = "gpu_method" => gpu_method,
            RamMethod: Text = "ram_method" => ram_method,
            OtherMethod: Text = "other_method" => other_method,
            EmissionLevel: Plain = "emission_level(kg/MWh)" => emission_level,
            EmissionSource: Text = "emission_source" => emission_source,
            Pue: Plain = "pue" => pue,
            Hostname: Text = "hostname" => hostname,
            Pid: Plain = "pid" => pid,
            Version: Text = "version" => version,
            PowerLow: Plain = "power_consumption_low(kWh)" => energy_low,
            PowerHigh: Plain = "power_consumption_high(kWh)" => energy_high,
            Job: Text = "job" => job,
            Rank: Plain = "rank" => rank,
            IdleEnergy: Plain = "idle_energy(kWh)" => idle_energy,
            User: Text = "user" => user,
        }
    };
}
pub(crate) use with_columns;

macro_rules! define_columns {
    ($($name:ident: $holds:ident = $text:literal => $field:ident,)*) => {
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
with_columns!(define_columns);

/// What the cells of a column hold.
enum Holds {
    /// Text of the user or the machine.
    Text,
    /// A number, a time or a word of this library's own.
    Plain,
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
