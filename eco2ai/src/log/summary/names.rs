//! Numbers the names of groups.

use std::collections::HashMap;
use std::sync::Arc;

/// Distinct names, numbered from 0 in the order in which they came.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<Arc<[u8]>>,
    numbers: HashMap<Arc<[u8]>, usize>,
}

impl Names {
    /// Returns the number of a name, a new one if the name is new.
    pub(super) fn number(&mut self, name: &[u8]) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        let name: Arc<[u8]> = name.into();
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// Returns the name with a number.
    pub(super) fn get(&self, number: usize) -> Option<&[u8]> {
        self.names.get(number).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::Names;

    proptest! {
        #[test]
        fn names_are_numbered_as_they_come(names in prop::collection::vec("[a\0]{0,12}", 0..200)) {
            let mut numbered = Names::default();
            let mut known = HashMap::new();
            for name in &names {
                let count = known.len();
                let number = *known.entry(name).or_insert(count);
                prop_assert_eq!(numbered.number(name.as_bytes()), number);
            }
            for (name, number) in known {
                prop_assert_eq!(numbered.get(number), Some(name.as_bytes()));
            }
            prop_assert_eq!(numbered.get(names.len()), None);
        }
    }
}
