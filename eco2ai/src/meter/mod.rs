//! Converts the readings of sensors to the energy of runs.
//!
//! A [`Meter`] reads its sensors in one thread, at the smallest period of the active runs, and also
//! when a run starts or stops. The meter has a resolution, which limits the cost of readings to 1 %
//! of the time. A reading that would follow the previous one sooner than that is left out: instead,
//! the meter uses the last known power (for CPU energy, scaled by the CPU clock of the process),
//! and the next reading corrects the difference.
//!
//! The energy of the process is split among its runs at each reading: see [`Meter`].
//!
//! # Slow sensors
//! A sensor that takes longer than 1 ms, such as a meter in the network, has a thread of its own, as
//! does each sensor that a program adds, until its first reading. Nobody waits for it: a run starts
//! and stops with its last known power, and the next reading corrects the energy of the time since
//! the reading before. It is read in at most 1 % of the time, so one of 80 ms every 8 s; rows then
//! have wider bounds. Runs that were active at the first reading are charged from their start on; a
//! run that ends before it has no figure (method `none`). A correction that comes when its runs have
//! ended goes to the next one, so that the sum stays right. If a sensor hangs, all others go on, and
//! after 30 s its energy counts as missing (`:partial`). Only a sensor that was fast and
//! hangs for the first time holds the one thread that is reading it: a run that starts or stops
//! meanwhile on another thread does not wait.
//!
//! # The share of a process
//! A counter measures the whole processor. The process is charged the same share of its energy as
//! of the busy CPU time, which includes a share of the idle power. The same holds for a model that has an
//! idle power (`estimated:server`, or a given `cpu_power` such as `35..120`). Other models only
//! include the power of the busy CPUs. The two differ most on a machine with a low load. For example, a processor
//! with 64 CPUs takes 100 W when idle and 280 W (its TDP) at full load, and a process keeps one CPU
//! busy:
//!
//! | busy by other processes | power of the processor, about | measured share | model |
//! |---|---|---|---|
//! | nothing | 103 W | 103 W x 1/1 = 103 W | 280 W x 1/64 = 4.4 W |
//! | 31 CPUs | 190 W | 190 W x 1/32 = 5.9 W | 4.4 W |
//! | 63 CPUs | 280 W | 280 W x 1/64 = 4.4 W | 4.4 W |

mod access;
mod across_processes;
mod activity;
mod available_devices;
mod builder;
mod channel;
#[cfg_attr(not(feature = "test-util"), allow(unreachable_pub, reason = "public with the feature"))]
mod clock;
mod component_figures;
mod counter;
mod counter_check;
mod cpu_time;
#[cfg(all(test, target_os = "linux"))]
mod damaged_files_test;
mod energies;
mod energy_bounds;
mod energy_mark;
mod forecast;
mod gauge;
mod history;
mod increment;
mod keys;
mod leaf_calls;
mod ledger;
mod ledger_calls;
mod ledger_lock;
mod ledger_time;
#[allow(clippy::module_inception, reason = "this file is what a reader is to see first")]
mod meter;
mod meter_calls;
mod meter_state;
mod models;
mod nanoseconds;
mod node;
mod others;
mod own_power;
#[cfg(test)]
mod paced_test;
mod periods;
mod pool;
mod power_model;
mod price_cuts;
mod provenance;
mod readout;
mod rows;
mod run_energy;
mod sampling_thread;
mod sensing;
mod slow_sensor;
#[cfg(test)]
mod split_test;
mod stacks;
mod start;
mod sums;
mod tariffs;
mod thread_slots;
mod tree;
mod tree_by_price;
mod usage_window;
mod used_energy;
mod wake;
mod wall_meter;

pub use available_devices::available_devices;
pub use builder::MeterBuilder;
#[cfg(feature = "test-util")]
pub use clock::{Clock, ManualClock};
pub(crate) use component_figures::component_figures;
pub(crate) use energies::Energies;
pub(crate) use energy_bounds::EnergyBounds;
pub(crate) use energy_mark::EnergyMark;
pub(crate) use forecast::Prices;
pub(crate) use keys::{RunKey, SumKey};
pub(crate) use leaf_calls::LeafCall;
pub use meter::Meter;
pub(crate) use meter_state::Edge;
pub(crate) use provenance::Methods;
pub(crate) use run_energy::{PricedEnergy, RunEnergy};
pub(crate) use start::{EnclosingRow, Start, StartedRow, Stopped};
pub(crate) use sums::{CalledSum, ClosedSums, SumRow, SummedFunction};
pub(crate) use tree_by_price::Inner as InnerEnergies;
