//! Logs to report on.

pub(crate) const HEADER: &str = "id,project_name,experiment_description,epoch,start_time,duration(s),\
    power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost,parent_id,\
    function,status,calls,scope,own_energy(kWh),own_CO2(kg),own_cost,process_energy(kWh),\
    cpu_energy(kWh),gpu_energy(kWh),ram_energy(kWh),other_energy(kWh),cpu_method,gpu_method,\
    ram_method,other_method,emission_level(kg/MWh),emission_source,pue,hostname,pid,version\n";

/// A row of this library's log.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) id: &'a str,
    pub(crate) parent: &'a str,
    pub(crate) project: &'a str,
    pub(crate) function: &'a str,
    pub(crate) epoch: &'a str,
    pub(crate) start: &'a str,
    pub(crate) seconds: f64,
    pub(crate) status: &'a str,
    pub(crate) calls: u64,
    pub(crate) own: f64,
    pub(crate) inclusive: f64,
    pub(crate) cpu: f64,
    pub(crate) gpu: f64,
    pub(crate) pue: f64,
}

pub(crate) const ROW: Row<'_> = Row {
    id: "1",
    parent: "",
    project: "p",
    function: "m::f",
    epoch: "N/A",
    start: "2026-03-02 10:00:00+01:00",
    seconds: 60.0,
    status: "ok",
    calls: 1,
    own: 1.0,
    inclusive: 1.0,
    cpu: 1.0,
    gpu: 0.0,
    pue: 1.0,
};

impl Row<'_> {
    pub(crate) fn line(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let Self { id, parent, start, seconds, status, calls, .. } = self;
        let Self { own, inclusive, cpu, gpu, pue, .. } = self;
        let (project, function) = (quoted(self.project), quoted(self.function));
        let (own_co2, co2) = (own * 0.5, inclusive * 0.5);
        format!(
            "{id},{project},d,{},{start},{seconds},{inclusive},{co2},C,G,Linux,FR,0.0,{parent},\
             {function},{status},{calls},process,{own},{own_co2},0.0,{inclusive},{cpu},{gpu},,,\
             measured:rapl,sampled:nvml,none,none,500,a table,{pue},h,1,0.1.0\n",
            quoted(self.epoch)
        )
    }
}

/// A log of these rows.
pub(crate) fn log(rows: &[Row<'_>]) -> String {
    HEADER.to_owned() + &rows.iter().map(Row::line).collect::<String>()
}

/// An outer run that called two inner ones; each child's row comes before its parent's.
pub(crate) fn nested() -> String {
    log(&[
        Row { id: "2", parent: "1", function: "m::inner", gpu: 0.5, cpu: 0.5, ..ROW },
        Row { id: "3", parent: "1", function: "m::inner", gpu: 0.5, cpu: 0.5, ..ROW },
        Row { function: "m::outer", own: 2.0, inclusive: 4.0, cpu: 3.0, gpu: 1.0, ..ROW },
    ])
}
