//! From readings to the energy of a run.
//!
//! A [`Meter`] reads its sensors in one thread, at the smallest period that an active run asks for,
//! and once more where a run starts or stops. Readings that would come closer together than the
//! meter's resolution, which bounds their cost to 1 % of the time, are left out: the last known
//! power stands in, or for the energy of the CPU the process's CPU clock, and the next reading
//! settles the difference.
//!
//! The energy of the process is split between its runs as it comes: see [`Meter`].
//!
//! # The part of a process
//! A counter sees the whole processor. Of its energy the process gets its share of the busy CPU
//! time, and with it that share of the power that the idle processor takes anyway; a model knows the
//! power of the busy CPUs alone. So the two differ, most on a machine with little to do. Take a
//! processor with 64 CPUs that takes 100 W idle and 280 W (its TDP) at full load, and a process that
//! keeps one CPU busy:
//!
//! | others keep busy | the processor takes about | measured share | model |
//! |---|---|---|---|
//! | nothing | 103 W | 103 W x 1/1 = 103 W | 280 W x 1/64 = 4.4 W |
//! | 31 CPUs | 190 W | 190 W x 1/32 = 5.9 W | 4.4 W |
//! | 63 CPUs | 280 W | 280 W x 1/64 = 4.4 W | 4.4 W |

mod available_devices;
mod channel;
#[cfg_attr(not(feature = "test-util"), allow(unreachable_pub, reason = "public with the feature"))]
mod clock;
mod counter;
mod energies;
mod forecast;
mod gauge;
mod increment;
mod keys;
mod ledger;
#[allow(clippy::module_inception, reason = "this file is what a reader is to see first")]
mod meter;
mod meter_state;
mod models;
mod node;
mod periods;
mod pool;
mod power_model;
mod provenance;
mod rows;
mod run_energy;
mod sampling_thread;
mod sensing;
#[cfg(test)]
mod split_test;
mod stacks;
mod start;
mod sums;
mod tariff_segments;
mod thread_slots;
mod tree;
mod usage_window;
mod used_energy;
mod wake;

pub use available_devices::available_devices;
#[cfg(feature = "test-util")]
pub use clock::{Clock, ManualClock};
pub(crate) use energies::Energies;
pub(crate) use forecast::Prices;
pub(crate) use keys::{RunKey, SumKey};
pub use meter::{Meter, MeterBuilder};
pub(crate) use run_energy::{PricedEnergy, RunEnergy};
pub(crate) use start::{Start, StartedRow, Stopped};
pub(crate) use sums::{CalledSum, ClosedSums, SumRow, SummedFunction};
