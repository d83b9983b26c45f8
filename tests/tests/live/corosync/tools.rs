//! What corosync's own tools say, to compare with.

use std::collections::BTreeSet;

use ha_core::{Error, ErrorKind, Result};
use lab::Node;

/// What `corosync-quorumtool -s` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuorumTool {
    pub(crate) node: u32,
    pub(crate) ring: String,
    pub(crate) quorate: bool,
    pub(crate) expected_votes: u32,
    pub(crate) highest_expected: u32,
    pub(crate) total_votes: u32,
    pub(crate) quorum: u32,
    pub(crate) flags: String,
    pub(crate) members: Vec<u32>,
}

impl QuorumTool {
    pub(crate) fn of(node: &Node<'_>) -> Result<Self> {
        // It exits with 2 when the partition has no quorum.
        let text = node
            .command("corosync-quorumtool")
            .args(["-s", "-p"])
            .output()?
            .stdout;
        let field = |name: &str| {
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix(name)?.trim_start().strip_prefix(':'));
            line.map(str::trim).ok_or_else(|| {
                Error::new(
                    ErrorKind::Protocol,
                    format!("no '{name}' in the output: {text}"),
                )
            })
        };
        let number = |name: &str| {
            let word = field(name)?.split_whitespace().next().unwrap_or_default();
            word.parse::<u32>()
                .map_err(|e| Error::invalid(format!("{name}: {e}")))
        };
        let members = text.lines().skip_while(|l| !l.contains("Nodeid")).skip(1);
        let members = members
            .filter_map(|l| l.split_whitespace().next()?.parse().ok())
            .collect();
        Ok(Self {
            node: number("Node ID")?,
            ring: field("Ring ID")?.to_owned(),
            quorate: field("Quorate")? == "Yes",
            expected_votes: number("Expected votes")?,
            highest_expected: number("Highest expected")?,
            total_votes: number("Total votes")?,
            quorum: number("Quorum")?,
            flags: field("Flags")?.to_owned(),
            members,
        })
    }
}

/// The members of a group as `(node, process id)`, as `corosync-cpgtool` prints them.
pub(crate) fn cpgtool(node: &Node<'_>, group: &str) -> Result<BTreeSet<(u32, u32)>> {
    let text = node.command("corosync-cpgtool").stdout()?;
    let mut members = BTreeSet::new();
    let mut inside = false;
    for line in text.lines().skip(1) {
        if !line.starts_with([' ', '\t']) {
            inside = line.trim() == group;
        } else if inside {
            let mut words = line.split_whitespace();
            let mut next = || words.next().and_then(|w| w.parse::<u32>().ok());
            if let (Some(pid), Some(node)) = (next(), next()) {
                members.insert((node, pid));
            }
        }
    }
    Ok(members)
}
