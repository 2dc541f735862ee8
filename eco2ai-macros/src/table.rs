// All parameters: the one list, which the macros include and from which they give the library its
// own. To add a parameter, add it here, give it its meaning in `settings/resolve.rs` of the library,
// and test that. Field, setter, argument, variable, saved key, option of the command and
// documentation follow.
//
// `kind` says which values there are (`settings/kind.rs` of the library, `check.rs` of the macros),
// `accepts` describes them as they are written in Rust and `text` their text form, `default` is the text form of the value where nothing is given, and `otherwise` says what holds
// where there is no fixed default.
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

    /// What the runs are about.
    description: String {
        kind: Text,
        accepts: "text",
        text: "text",
        default: "default experiment description",
        example: "\"two layers\"",
        python: "experiment_description",
    }

    /// The CSV file that gets the rows. A relative path is one in the working directory of the
    /// process that runs, also where another process saved it, as in Eco2AI.
    file: PathBuf {
        kind: NonEmptyText,
        accepts: "path of a CSV file",
        text: "path of a CSV file",
        default: "emission.csv",
        example: "\"emission.csv\"",
        python: "file_name",
    }

    /// Time between two readings.
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

    /// The region of that country.
    region: String {
        kind: NonEmptyText,
        accepts: "ISO 3166-2 code or name; needs a country",
        text: "ISO 3166-2 code or name; needs a country",
        otherwise: "none",
        example: "\"California\"",
    }

    /// The cloud region that the program runs in. It sets the place and, unless that is given, the
    /// PUE.
    cloud: String {
        kind: Cloud,
        accepts: "`\"provider:region\"`, such as `\"gcp:europe-west1\"`",
        text: "provider:region, such as gcp:europe-west1",
        otherwise: "none",
        example: "\"gcp:europe-west1\"",
    }

    /// Carbon intensity of the electricity. It goes before the figure of the place, whichever of the
    /// two was given where.
    emission_level: GramsPerKwh {
        kind: Number { min: 0.0, max: f64::MAX, meaning: "0 kg/MWh or more" },
        accepts: "kg/MWh (= g/kWh) of CO2 equivalents, 0 or more",
        text: "kg/MWh (= g/kWh) of CO2 equivalents, 0 or more",
        otherwise: "that of the place",
        example: "436.5",
    }

    /// Power usage effectiveness of the data centre: energy of the whole centre per energy of its
    /// computers.
    pue: f64 {
        kind: Number { min: 1.0, max: f64::MAX, meaning: "1 or more" },
        accepts: "ratio, 1 or more",
        text: "ratio, 1 or more",
        default: "1",
        example: "1.2",
    }

    /// Price of electricity per kWh, in a currency of your own.
    electricity_pricing: Pricing {
        kind: Price,
        accepts: "price per kWh, or `[(\"8:30-19:00\", 5.2), (\"19:00-8:30\", 3.0)]`",
        text: "price per kWh, or 8:30-19:00=5.2, 19:00-8:30=3",
        otherwise: "none",
        example: "0.3",
    }

    /// Whose energy the runs are charged with.
    cpu_processes: CpuProcesses {
        kind: Choice { words: &["current", "all"] },
        accepts: "`\"current\"`: this process and its children; `\"all\"`: the machine",
        text: "current (the process and its children) or all (the machine)",
        default: "current",
        example: "\"all\"",
    }

    /// How many rows a tracked function leaves.
    rows: Rows {
        kind: Choice { words: &["each", "total"] },
        accepts: "`\"each\"`: a row per run; `\"total\"`: one per function, parent run and process",
        text: "each (a row per run) or total (one per function, parent run and process)",
        default: "each",
        example: "\"total\"",
    }

    /// Whether an obfuscated copy of each row is written, and where.
    encode_file: EncodeFile {
        kind: YesNoOrFile,
        accepts: "`true` or a file name",
        text: "yes, no or a file name",
        default: "no",
        example: "true",
    }

    /// Whether no warnings are given. A row that can be kept nowhere is printed all the same.
    ignore_warnings: bool {
        kind: YesNo,
        accepts: "`true` or `false`",
        text: "yes or no",
        default: "no",
        example: "true",
    }
}
