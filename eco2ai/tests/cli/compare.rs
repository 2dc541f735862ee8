//! `eco2ai compare`.

use crate::home::{Home, code, err, out};

const HEADER: &str = "id,project_name,experiment_description,epoch,start_time,duration(s),\
    power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost,parent_id,\
    function,status,calls,scope,own_energy(kWh),own_CO2(kg),own_cost\n";

/// A log of one run of `train` for each energy, in mWh, on the first days of a month.
fn log(month: &str, energies: &[f64]) -> String {
    let row = |(day, mwh): (usize, &f64)| {
        let kwh = mwh / 1e6;
        format!(
            "{month}{day},MNIST,d,N/A,2026-{month}-{:02} 10:00:00+00:00,{},{kwh},{kwh},C,G,L,FR,0,,\
             train,ok,1,process,{kwh},{kwh},0\n",
            day + 1,
            mwh / 10.0
        )
    };
    HEADER.to_owned() + &energies.iter().enumerate().map(row).collect::<String>()
}

fn home() -> Home {
    let home = Home::new();
    home.write("before.csv", &log("01", &[10.0, 10.1, 9.9, 10.0]));
    home.write("more.csv", &log("02", &[12.0, 12.1, 11.9, 12.0]));
    home.write("noisy.csv", &log("02", &[8.0, 16.0, 9.0, 11.0]));
    home.write("one.csv", &log("02", &[20.0]));
    home
}

#[test]
fn a_change_that_stands_out_of_the_noise_is_a_verdict() {
    let home = home();
    assert_eq!(
        home.text(&["compare", "before.csv", "more.csv"]),
        "project  function    runs  own energy before (mWh)   after (mWh)   energy     time     CO2e  energy is\n\
         MNIST    train     4 to 4             10.00 ± 0.08  12.00 ± 0.08  +20.0 %  +20.0 %  +20.0 %  more\n"
    );
    let noisy = home.text(&["compare", "before.csv", "noisy.csv"]);
    assert!(noisy.ends_with("  ~ +10.0 %  ~ +10.0 %  ~ +10.0 %  within noise\n"), "{noisy}");
    let one = home.text(&["compare", "before.csv", "one.csv"]);
    assert!(one.ends_with("too few runs\n"), "{one}");
    let json = home.json(&["compare", "--format=json", "before.csv", "more.csv"]);
    let energy = &json["functions"][0]["own_energy_kwh"];
    assert_eq!((&energy["before"]["runs"], &energy["verdict"]), (&4.into(), &"more".into()));
    assert!((energy["relative_change"].as_f64().unwrap() - 0.2).abs() < 1e-9, "{energy}");
}

#[test]
fn two_periods_of_a_log_are_compared_like_two_logs() {
    let home = home();
    let later = home.read("more.csv").replace(HEADER, "");
    home.write("both.csv", &(home.read("before.csv") + &later));
    let split = home.text(&["compare", "both.csv", "--split=2026-02-01"]);
    assert_eq!(split, home.text(&["compare", "before.csv", "more.csv"]));
    let short = home.text(&["compare", "both.csv", "--split=2026-02-01", "--since=2026-01-03"]);
    assert!(short.ends_with("too few runs\n"), "{short}");
    assert_eq!(code(&home.output(&["compare", "both.csv"])), 2);
}

#[test]
fn more_than_allowed_fails_with_a_code_of_its_own() {
    let home = home();
    let fail = |after: &str, allowed: &str| {
        home.output(&["compare", "before.csv", after, "--fail-above", allowed])
    };
    let more = fail("more.csv", "10%");
    assert_eq!(code(&more), 4);
    assert_eq!(err(&more), "eco2ai: train: 20.0 % more energy per call, 10.0 % allowed\n");
    assert!(out(&more).contains("+20.0 %"));
    assert_eq!(code(&fail("more.csv", "25")), 0);
    assert_eq!(code(&fail("noisy.csv", "5%")), 0);
    let few = fail("one.csv", "10%");
    assert_eq!(code(&few), 1, "a check that compares nothing does not pass");
    assert!(err(&few).contains("three successful runs"), "{}", err(&few));
}

#[test]
fn the_epochs_of_a_training_are_one_run_and_failed_runs_are_left_out() {
    let home = home();
    let rows = log("02", &[10.0, 10.0, 10.0, 10.0]);
    let epochs =
        rows.replace(",N/A,", ",\"epoch: 1, \",").replace("021,", "020,").replace("023,", "022,");
    home.write("epochs.csv", &epochs.replacen(",ok,", ",error,", 0));
    let json = home.json(&["compare", "--format=json", "before.csv", "epochs.csv"]);
    let after = &json["functions"][0]["own_energy_kwh"]["after"];
    assert_eq!((&after["runs"], &after["mean"]), (&2.into(), &2e-5.into()));
    home.write("failed.csv", &rows.replacen(",ok,", ",error,", 1));
    let output = home.output(&["compare", "before.csv", "failed.csv"]);
    assert!(out(&output).contains("  4 to 3  "), "{}", out(&output));
    assert_eq!(err(&output), "eco2ai: after: 1 row of a run that failed left out\n");
}
