//! Which sections to show: what the options add and leave out, from left to right.

use ha_core::view::{Part, Parts};

/// A change to the set of sections.
#[derive(Debug)]
pub(super) enum Change {
    Include(String),
    Exclude(String),
}

/// What the changes come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) parts: Parts,
    /// What the ids of bans must start with.
    pub(super) bans_prefix: String,
}

/// Applies the changes to what is shown without any. The default that an option may name has no
/// fencing in it.
///
/// # Errors
/// The message for a name that is no section.
pub(super) fn choose(
    changes: &[Change],
    start: Parts,
    default: Parts,
    all: Parts,
) -> Result<Chosen, String> {
    let mut parts = start;
    let mut bans_prefix = String::new();
    for change in changes {
        let (list, adds) = match change {
            Change::Include(list) => (list, true),
            Change::Exclude(list) => (list, false),
        };
        if list.is_empty() {
            continue;
        }
        for name in list.split(',') {
            // The names of many mind the case, those of one section do not.
            match name {
                "all" => parts = if adds { all } else { Parts::NONE },
                "none" => parts = if adds { Parts::NONE } else { all },
                "default" | "defaults" if adds => parts = parts.union(default),
                // Whatever starts like this stands for bans; only a colon sets the prefix.
                _ if adds && name.starts_with("bans") => {
                    parts = parts.with(Part::Bans);
                    bans_prefix = name
                        .split_once(':')
                        .map_or_else(String::new, |(_, prefix)| prefix.to_owned());
                }
                name => {
                    let named = section(&name.to_ascii_lowercase()).ok_or_else(|| unknown(adds))?;
                    parts = if adds {
                        parts.union(named)
                    } else {
                        parts.difference(named)
                    };
                }
            }
        }
    }
    Ok(Chosen { parts, bans_prefix })
}

/// Returns the parts that a section's name stands for.
fn section(name: &str) -> Option<Parts> {
    let one = |part| Some(Parts::NONE.with(part));
    match name {
        "attributes" => one(Part::Attributes),
        "bans" => one(Part::Bans),
        "counts" => one(Part::Counts),
        "dc" => one(Part::Dc),
        "failcounts" => one(Part::FailCounts),
        "failures" => one(Part::Failures),
        "fencing" => Some(Parts::FENCING),
        "fencing-failed" => one(Part::FencingFailed),
        "fencing-pending" => one(Part::FencingPending),
        "fencing-succeeded" => one(Part::FencingSucceeded),
        "maint-mode" => one(Part::MaintenanceMode),
        "nodes" => one(Part::Nodes),
        "operations" => one(Part::Operations),
        "options" => one(Part::Options),
        "resources" => one(Part::Resources),
        "stack" => one(Part::Stack),
        "summary" => Some(Parts::SUMMARY),
        "tickets" => one(Part::Tickets),
        "times" => one(Part::Times),
        _ => None,
    }
}

fn unknown(adds: bool) -> String {
    let (option, bans, default) = if adds {
        ("include", "bans[:PREFIX]", "default, ")
    } else {
        ("exclude", "bans", "")
    };
    format!(
        "--{option} options: all, attributes, {bans}, counts, dc, {default}failcounts, failures, \
         fencing, fencing-failed, fencing-pending, fencing-succeeded, maint-mode, nodes, none, operations, \
         options, resources, stack, summary, tickets, times"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(changes: &[Change]) -> Result<Chosen, String> {
        choose(changes, Parts::DEFAULT, Parts::DEFAULT, Parts::ALL)
    }

    fn include(list: &str) -> Change {
        Change::Include(list.to_owned())
    }

    #[test]
    fn a_colon_sets_the_prefix_of_bans_and_its_absence_clears_it() {
        let prefix = |list: &str| chosen(&[include(list)]).map(|chosen| chosen.bans_prefix);
        assert_eq!(prefix("bans:cli"), Ok("cli".to_owned()));
        assert_eq!(prefix("bansx"), Ok(String::new()));
        assert_eq!(prefix("bans:cli,bans"), Ok(String::new()));
        assert!(prefix("BANS:cli").is_err());
        assert!(prefix("attributes:x").is_err());
    }

    #[test]
    fn names_of_one_section_mind_no_case_and_may_not_be_missing() {
        assert!(chosen(&[include("NODES")]).is_ok());
        assert!(chosen(&[include("Bans")]).is_ok());
        for name in ["ALL", "None", "DEFAULT", "Nodes,All"] {
            assert!(chosen(&[include(name)]).is_err(), "{name}");
            let excluded = chosen(&[Change::Exclude(name.to_owned())]);
            assert!(excluded.is_err(), "{name}");
        }
        assert!(chosen(&[include("")]).is_ok());
        assert!(chosen(&[include("nodes,,dc")]).is_err());
        assert!(chosen(&[include(" nodes")]).is_err());
        let excluded = chosen(&[Change::Exclude("default".to_owned())]);
        assert!(excluded.is_err_and(|message| message.starts_with("--exclude options: all")));
    }

    #[test]
    fn the_summary_has_no_options() {
        let chosen = chosen(&[include("none,summary")]).map(|chosen| chosen.parts);
        assert_eq!(chosen.map(|parts| parts.has(Part::Options)), Ok(false));
    }
}
