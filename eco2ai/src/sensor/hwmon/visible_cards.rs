//! The AMD cards that the environment makes visible to the program.
//!
//! `ROCR_VISIBLE_DEVICES` selects and orders the cards for all programs. From what is left,
//! `HIP_VISIBLE_DEVICES` (else `CUDA_VISIBLE_DEVICES`) selects for HIP, and `GPU_DEVICE_ORDINAL` for
//! `OpenCL`. Source: AMD, "GPU isolation techniques" and "HIP environment variables".

use std::path::Path;

use super::monitor::{Card, entries};
use crate::sensor::kept_file::read_trimmed;

/// The variables of the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    pub(super) rocr: Option<String>,
    pub(super) hip: Option<String>,
    pub(super) cuda: Option<String>,
    pub(super) ordinal: Option<String>,
}

impl Variables {
    /// Reads the environment.
    pub(super) fn read() -> Self {
        let read = |name| std::env::var(name).ok();
        Self {
            rocr: read("ROCR_VISIBLE_DEVICES"),
            hip: read("HIP_VISIBLE_DEVICES"),
            cuda: read("CUDA_VISIBLE_DEVICES"),
            ordinal: read("GPU_DEVICE_ORDINAL"),
        }
    }

    /// The lists that apply, with the names of their variables, in the order in which they apply.
    /// `has_nvidia`: the machine also has boards that `CUDA_VISIBLE_DEVICES` means.
    fn lists(&self, has_nvidia: bool) -> Vec<(&'static str, &str)> {
        // An empty text means no card in this variable, and nothing in the others.
        let first = self.rocr.as_deref().map(|list| ("ROCR_VISIBLE_DEVICES", list));
        let second = [
            ("HIP_VISIBLE_DEVICES", &self.hip),
            ("CUDA_VISIBLE_DEVICES", if has_nvidia { &None } else { &self.cuda }),
            ("GPU_DEVICE_ORDINAL", &self.ordinal),
        ]
        .into_iter()
        .filter_map(|(name, list)| Some((name, list.as_deref()?)))
        .find(|(_, list)| !list.is_empty());
        first.into_iter().chain(second).collect()
    }

    /// Returns for each AMD card the variable that hides it; `None` if the card is visible.
    pub(super) fn hiding(&self, sys: &Path, cards: &[&Card]) -> Vec<Option<&'static str>> {
        let mut hiding = vec![None; cards.len()];
        let lists = self.lists(sys.join("module/nvidia").exists());
        if lists.is_empty() {
            return hiding;
        }
        let uuid = |card: &&Card| read_trimmed(card.path.join("device/unique_id"));
        let uuids: Vec<String> =
            cards.iter().map(|card| uuid(card).unwrap_or_default().to_lowercase()).collect();
        let mut visible = rocm_order(sys, cards);
        for (name, list) in lists {
            visible = choose(list, &visible, &uuids);
            for (index, hiding) in hiding.iter_mut().enumerate() {
                if hiding.is_none() && !visible.contains(&index) {
                    *hiding = Some(name);
                }
            }
        }
        hiding
    }
}

/// Returns the cards that a list names, in its order. `visible` are the cards that it can name by
/// their numbers. The list ends at the first name that is not a card.
fn choose(list: &str, visible: &[usize], uuids: &[String]) -> Vec<usize> {
    let mut chosen = Vec::new();
    for name in list.split(',').map(str::trim) {
        let card = match name.to_lowercase().strip_prefix("gpu-") {
            Some(uuid) => {
                let is_named = |&&card: &&usize| uuids.get(card).is_some_and(|it| it == uuid);
                visible.iter().find(is_named).filter(|_| !uuid.is_empty())
            }
            None => name.parse().ok().and_then(|number: usize| visible.get(number)),
        };
        let Some(&card) = card else { break };
        if !chosen.contains(&card) {
            chosen.push(card);
        }
    }
    chosen
}

/// Returns the cards in the order in which AMD's runtime numbers them: that of the driver's topology, which
/// names each by its render device. Without a topology, the order of the cards.
fn rocm_order(sys: &Path, cards: &[&Card]) -> Vec<usize> {
    let mut nodes = entries(&sys.join("class/kfd/kfd/topology/nodes"), "");
    if nodes.is_empty() {
        return (0..cards.len()).collect();
    }
    let number = |path: &std::path::PathBuf| -> u32 {
        path.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(u32::MAX)
    };
    nodes.sort_unstable_by_key(number);
    let card_of = |node: std::path::PathBuf| {
        let properties = read_trimmed(node.join("properties"))?;
        let minor = properties
            .lines()
            .find_map(|line| line.strip_prefix("drm_render_minor "))
            .filter(|minor| minor.trim() != "0")?;
        let device = format!("device/drm/renderD{}", minor.trim());
        cards.iter().position(|card| card.path.join(&device).exists())
    };
    nodes.into_iter().filter_map(card_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    fn chosen(list: &str) -> Vec<usize> {
        let uuids = ["aa", "bb", ""].map(str::to_owned);
        choose(list, &[2, 0, 1], &uuids)
    }

    #[test]
    fn numbers_follow_the_order_of_rocm_and_the_list_orders_the_cards() {
        assert_eq!(chosen("0"), [2]);
        assert_eq!(chosen("2,1"), [1, 0]);
        assert_eq!(chosen("1, GPU-BB"), [0, 1]);
    }

    #[test]
    fn a_list_ends_at_the_first_name_that_is_no_card() {
        for empty in ["", "-1", "7,0", "GPU-", "GPU-cc", "x"] {
            assert_eq!(chosen(empty), NONE, "{empty:?}");
        }
        assert_eq!(chosen("1,9,0"), [0]);
    }

    fn lists(variables: &Variables, has_nvidia: bool) -> Vec<(&'static str, &str)> {
        variables.lists(has_nvidia)
    }

    #[test]
    fn the_variable_of_hip_takes_precedence_over_those_of_cuda_and_opencl() {
        let text = |text: &str| Some(text.to_owned());
        let mut variables =
            Variables { rocr: text(""), hip: text("0"), cuda: text("1"), ordinal: text("2") };
        let first = ("ROCR_VISIBLE_DEVICES", "");
        assert_eq!(lists(&variables, false), [first, ("HIP_VISIBLE_DEVICES", "0")]);
        variables.hip = text("");
        assert_eq!(lists(&variables, false), [first, ("CUDA_VISIBLE_DEVICES", "1")]);
        assert_eq!(lists(&variables, true), [first, ("GPU_DEVICE_ORDINAL", "2")]);
        assert_eq!(lists(&Variables::default(), false), []);
    }
}
