//! The records so far of the runs that have not ended.

use super::{open_runs, sums};
use crate::log::Record;
use crate::own_code;

/// Returns the records so far of all runs of this process that have lasted longer than a period, and of
/// all calls that are added up.
pub(crate) fn records_under_way() -> Vec<Record> {
    let _section = own_code::enter();
    let mut records = open_runs::so_far();
    for record in &mut records {
        // It counts when it has ended.
        record.calls = 0;
    }
    records.extend(sums::all_states());
    records
}
