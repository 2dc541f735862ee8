//! The tests that share one process: each has its own files, its own meter or programs of its own,
//! and changes nothing of the process.

mod busy_service;
mod clocks;
mod countries;
mod detached;
mod devices;
mod edges;
mod endings;
mod fidelity;
mod fork_storm;
mod forks;
mod harmless;
mod hwmon;
mod log_faults;
mod log_fuzz;
mod log_killed;
mod log_lost;
mod log_peers;
mod log_writers;
mod missing;
mod module_order;
mod nesting;
mod nvml;
mod own_code;
mod own_sensors;
mod prices;
mod rapl;
mod saved_params;
mod scope;
mod tables;
mod tariff;
mod thread;
mod time_zones;
mod totals;
mod training;
mod warnings;
