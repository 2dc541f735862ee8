//! The columns of a log: their names, their order, and where a given file has them.

/// How many columns at the head of ours are Eco2AI's.
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
    /// Its name in the header.
    pub(crate) fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// Whether it holds the user's or the machine's words, which are guarded against being read
    /// as a formula.
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

/// The header line of our log (`columns` of it), with its new line.
pub(crate) fn header(columns: usize) -> String {
    let mut line = NAMES.iter().take(columns).copied().collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// Who wrote a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// This crate: all columns in our order, texts guarded.
    Ours,
    /// Eco2AI, or another that has at least what a summary needs; texts are as they are.
    Eco2ai,
}

/// Where a file has which column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) dialect: Dialect,
    /// How many columns the file has.
    pub(crate) width: usize,
    places: [Option<usize>; NAMES.len()],
}

impl Layout {
    /// Understands a header, or says why it is none of an emission log.
    pub(crate) fn of<'a>(header: impl Iterator<Item = &'a [u8]>) -> Result<Self, String> {
        const NEEDED: [Column; 4] = [Column::Project, Column::Duration, Column::Power, Column::Co2];
        let mut places = [None; NAMES.len()];
        let mut width = 0;
        let mut twice = None;
        for (place, name) in header.enumerate() {
            width = place + 1;
            // Early files of Eco2AI spell the unit so.
            let name = if name == b"power_consumption(kWTh)" {
                Column::Power.name().as_bytes()
            } else {
                name
            };
            if let Some(column) = ALL.into_iter().find(|column| column.name().as_bytes() == name) {
                let known = &mut places[column as usize];
                if known.is_some() {
                    twice = Some(column);
                }
                *known = Some(place);
            }
        }
        let missing: Vec<_> = NEEDED
            .into_iter()
            .filter(|column| places[*column as usize].is_none())
            .map(Column::name)
            .collect();
        if !missing.is_empty() {
            return Err(format!(
                "this is no emission log: its first line has no column {}",
                missing.join(", ")
            ));
        }
        if let Some(column) = twice {
            return Err(format!("its first line has the column {} twice", column.name()));
        }
        let ours = places.iter().enumerate().all(|(at, place)| *place == Some(at));
        let dialect = if ours { Dialect::Ours } else { Dialect::Eco2ai };
        Ok(Self { dialect, width, places })
    }

    /// Where the file has `column`.
    pub(crate) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// Whether it has columns that we do not know.
    pub(crate) fn has_unknown_columns(&self) -> bool {
        self.places.iter().flatten().count() < self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thirteen_columns_are_those_of_eco2ai() {
        assert_eq!(
            header(ECO2AI_COLUMNS),
            "id,project_name,experiment_description,epoch,start_time,duration(s),\
             power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost\n"
        );
        assert_eq!(NAMES.len(), 36);
    }

    #[test]
    fn a_header_is_told_from_what_is_none() {
        let of = |line: &str| Layout::of(line.trim().split(',').map(str::as_bytes));
        assert_eq!(of(&header(36)).unwrap().dialect, Dialect::Ours);
        let eco2ai = of(&header(13)).unwrap();
        assert_eq!(eco2ai.dialect, Dialect::Eco2ai);
        assert_eq!(eco2ai.place(Column::Cost), Some(12));
        assert_eq!(eco2ai.place(Column::Status), None);
        assert!(of("name,age").unwrap_err().contains("project_name, duration(s)"));
        assert!(of(&format!("id,{}", header(13))).unwrap_err().contains("id twice"));
    }
}
