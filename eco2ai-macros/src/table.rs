// The list of all parameters. The macros include this file; the library gets the list from them,
// through the macro `__parameters!`. To add a parameter, add an entry here, implement its meaning
// in `settings/resolve.rs` of the library, and add a test. The field, setter, argument, environment
// variable, saved key, command-line option and documentation are generated from the entry.
//
// `kind` selects the allowed values (`settings/kind.rs` of the library, `check.rs` of the macros),
// `accepts` describes how they are written in Rust, `text` describes their text form, `default` is
// the text form of the default, and `otherwise` describes the value if there is no fixed default.
parameters! {
    /// The project that the runs belong to.
    project: String {
        kind: NonEmptyText,
        accepts: "text",
        text: "text that is not empty",
        default: "default project name",
        example: "\"MNIST\"",
        python: "project_name",
    }

    /// A description of the runs.
    description: String {
        kind: Text,
        accepts: "text",
        text: "text",
        default: "default experiment description",
        example: "\"two layers\"",
        python: "experiment_description",
    }

    /// The CSV file to which the rows are appended. A relative path is resolved against the
    /// working directory of the running process, even if another process saved it, as in Eco2AI.
    /// `{host}`, `{job}`, `{rank}` and `{pid}` in it are replaced when a run starts, so that each
    /// process of a job has a log, as in `logs/{host}-{job}-{rank}.csv`; missing folders of such a
    /// path are created.
    file: PathBuf {
        kind: NonEmptyText,
        accepts: "path of a CSV file",
        text: "path of a CSV file",
        default: "emission.csv",
        example: "\"emission.csv\"",
        python: "file_name",
    }

    /// The time between two readings of the sensors.
    measure_period: Duration {
        kind: Number { min: 0.01, max: 3600.0, meaning: "0.01 to 3600 seconds" },
        accepts: "seconds from 0.01 to 3600, or a `Duration`",
        text: "seconds from 0.01 to 3600",
        default: "1",
        example: "1",
    }

    /// The country that the electricity comes from.
    country: String {
        kind: Country,
        accepts: "ISO 3166 code (`\"FR\"`, `\"FRA\"`) or English name",
        text: "ISO 3166 code (FR, FRA) or English name",
        otherwise: "that of the time zone",
        example: "\"FR\"",
        python: "alpha_2_code",
    }

    /// The region of the country.
    region: String {
        kind: NonEmptyText,
        accepts: "ISO 3166-2 code or name; needs a country",
        text: "ISO 3166-2 code or name; needs a country",
        otherwise: "none",
        example: "\"California\"",
    }

    /// The cloud region that the program runs in. It determines the place and, unless a PUE is
    /// given, the PUE.
    cloud: String {
        kind: Cloud,
        accepts: "`\"provider:region\"`, such as `\"gcp:europe-west1\"`",
        text: "provider:region, such as gcp:europe-west1",
        otherwise: "none",
        example: "\"gcp:europe-west1\"",
    }

    /// The carbon intensity of the electricity. It takes precedence over the figure of the place,
    /// no matter which source either value comes from.
    emission_level: GramsPerKwh {
        kind: Number { min: 0.0, max: f64::MAX, meaning: "0 kg/MWh or more" },
        accepts: "kg/MWh (= g/kWh) of CO2 equivalents, 0 or more",
        text: "kg/MWh (= g/kWh) of CO2 equivalents, 0 or more",
        otherwise: "that of the place",
        example: "436.5",
    }

    /// The power usage effectiveness of the data centre: the energy of the whole centre divided by
    /// the energy of its computers.
    pue: f64 {
        kind: Number { min: 1.0, max: f64::MAX, meaning: "1 or more" },
        accepts: "ratio, 1 or more",
        text: "ratio, 1 or more",
        default: "1",
        example: "1.2",
    }

    /// The price of electricity per kWh, in a currency of your choice.
    electricity_pricing: Pricing {
        kind: Price,
        accepts: "price per kWh, or `[(\"8:30-19:00\", 5.2), (\"19:00-8:30\", 3.0)]`",
        text: "price per kWh, or 8:30-19:00=5.2, 19:00-8:30=3",
        otherwise: "none",
        example: "0.3",
    }

    /// The processes whose energy the runs are charged with.
    cpu_processes: CpuProcesses {
        kind: Choice { words: &["current", "all"] },
        accepts: "`\"current\"`: this process and its children; `\"all\"`: the machine",
        text: "current (the process and its children) or all (the machine)",
        default: "current",
        example: "\"all\"",
    }

    /// The power of all processors of the machine, without memory. It replaces a model of them, never
    /// a counter. The first run of a process decides for all its runs.
    cpu_power: CpuPower {
        kind: CpuPower,
        accepts: "watts at full load, or `\"idle..full\"`, such as `\"35..120\"`",
        text: "watts at full load (120), or when idle and at full load (35..120)",
        otherwise: "that of a model",
        example: "120",
    }

    /// The power of each GiB of memory in use. It replaces the model of memory, never a counter, and
    /// has no effect if the figure of the processor includes memory. The first run of a process
    /// decides for all its runs.
    ram_power: Watts {
        kind: Number { min: 0.0, max: f64::MAX, meaning: "0 W/GiB or more" },
        accepts: "watts per GiB, 0 or more",
        text: "watts per GiB, 0 or more",
        otherwise: "that of a model",
        example: "0.3",
    }

    /// The power of all GPUs of the machine together, if none of them reports anything. Their load is
    /// unknown then, so each run is charged with this power for its whole duration: give the mean
    /// power while they work. It never replaces a figure that a GPU reports. The first run of a
    /// process decides for all its runs.
    gpu_power: Watts {
        kind: Number { min: 0.0, max: f64::MAX, meaning: "0 W or more" },
        accepts: "watts, 0 or more",
        text: "watts, 0 or more",
        otherwise: "none",
        example: "250",
    }

    /// How many rows a tracked function writes.
    rows: Rows {
        kind: Choice { words: &["each", "total"] },
        accepts: "`\"each\"`: a row per run; `\"total\"`: one per function, parent run and process",
        text: "each (a row per run) or total (one per function, parent run and process)",
        default: "each",
        example: "\"total\"",
    }

    /// Whether to write an obfuscated copy of each row, and to which file.
    encode_file: EncodeFile {
        kind: YesNoOrFile,
        accepts: "`true` or a file name",
        text: "yes, no or a file name",
        default: "no",
        example: "true",
    }

    /// Whether to suppress warnings. A row that cannot be stored anywhere is printed in any case.
    ignore_warnings: bool {
        kind: YesNo,
        accepts: "`true` or `false`",
        text: "yes or no",
        default: "no",
        example: "true",
    }
}
