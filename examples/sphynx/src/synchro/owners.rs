//! Users and groups of this machine, by name and by number.

use std::collections::HashMap;
use std::fs;

use ha_core::{ErrorExt as _, Result};

/// The tables of users and groups.
#[derive(Debug)]
pub(crate) struct Owners {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

impl Owners {
    /// Reads the tables.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn read() -> Result<Self> {
        let table = |path: &str| -> Result<HashMap<u32, String>> {
            let text = fs::read_to_string(path).with_context(|| path.to_owned())?;
            let entry = |line: &str| {
                let mut fields = line.split(':');
                let name = fields.next()?;
                Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
            };
            // Of two names with one number the first is the usual one.
            Ok(text.lines().rev().filter_map(entry).collect())
        };
        Ok(Self {
            users: table("/etc/passwd")?,
            groups: table("/etc/group")?,
        })
    }

    /// Returns the name of a user, or its number where it has none.
    pub(crate) fn user(&self, id: u32) -> String {
        self.users
            .get(&id)
            .cloned()
            .unwrap_or_else(|| id.to_string())
    }

    /// Returns the name of a group, likewise.
    pub(crate) fn group(&self, id: u32) -> String {
        self.groups
            .get(&id)
            .cloned()
            .unwrap_or_else(|| id.to_string())
    }

    /// Returns the number of a user; that of root where there is no such user.
    pub(crate) fn user_id(&self, name: &str) -> u32 {
        number(&self.users, name)
    }

    /// Returns the number of a group, likewise.
    pub(crate) fn group_id(&self, name: &str) -> u32 {
        number(&self.groups, name)
    }
}

fn number(table: &HashMap<u32, String>, name: &str) -> u32 {
    let found = table.iter().find(|(_, known)| *known == name);
    found.map_or_else(|| name.parse().unwrap_or(0), |(id, _)| *id)
}
