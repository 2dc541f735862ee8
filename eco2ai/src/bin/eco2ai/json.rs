//! Records and totals as JSON. Keys of quantities end with their unit.

use eco2ai::units::KilowattHours;
use eco2ai::{Record, Totals};
use serde_json::{Map, Value, json};

/// Converts a record; a missing value is `null`.
pub(crate) fn record(record: &Record) -> Map<String, Value> {
    let energy = |energy: Option<KilowattHours>| energy.map(|energy| energy.0);
    let Value::Object(object) = json!({
        "id": record.id,
        "project": record.project,
        "description": record.description,
        "epoch": record.epoch,
        "start_time": record.start_time.map(|time| time.to_rfc3339()),
        "duration_s": record.duration.as_secs_f64(),
        "energy_kwh": record.power_consumption.0,
        "co2_kg": record.co2_emissions.0,
        "cost": record.cost,
        "cpu_name": record.cpu_name,
        "gpu_name": record.gpu_name,
        "os": record.os,
        "place": record.place,
        "parent_id": record.parent_id,
        "function": record.function,
        "status": record.status.to_string(),
        "calls": record.calls,
        "scope": record.scope,
        "own_energy_kwh": record.own_energy.0,
        "own_co2_kg": record.own_co2.0,
        "own_cost": record.own_cost,
        "process_energy_kwh": record.process_energy.0,
        "cpu_energy_kwh": energy(record.cpu_energy),
        "gpu_energy_kwh": energy(record.gpu_energy),
        "ram_energy_kwh": energy(record.ram_energy),
        "other_energy_kwh": energy(record.other_energy),
        "cpu_method": record.cpu_method,
        "gpu_method": record.gpu_method,
        "ram_method": record.ram_method,
        "other_method": record.other_method,
        "emission_level_g_per_kwh": record.emission_level.0,
        "emission_source": record.emission_source,
        "pue": record.pue,
        "hostname": record.hostname,
        "pid": record.pid,
        "version": record.version,
    }) else {
        return Map::new();
    };
    object
}

/// Converts totals.
pub(crate) fn totals(totals: &Totals) -> Map<String, Value> {
    let Value::Object(object) = json!({
        "rows": totals.rows,
        "duration_s": totals.duration.as_secs_f64(),
        "energy_kwh": totals.energy.0,
        "co2_kg": totals.co2.0,
        "cost": totals.cost,
    }) else {
        return Map::new();
    };
    object
}
