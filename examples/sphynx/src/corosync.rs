//! `corosync.conf` from the settings.

use ha_core::corosync_conf::{Config, Entry, File, Interface, Node};

use crate::settings::{Machine, Settings, Transport};

/// The first line of a file that is ours, so that switching off removes no other.
pub const MARK: &str = "# Written by appliquer_hautedispo: what is changed here by hand is lost.";

/// Returns the configuration of corosync.
///
/// # Example
/// ```
/// use ha_core::corosync_conf::check;
/// let settings = sphynx::settings::Settings::open("hautedispo.toml")?;
/// let file = sphynx::corosync::file(&settings);
/// assert_eq!(check(&file), []);
/// assert_eq!(file.get("totem.transport"), Some("udp"));
/// # Ok::<(), ha_core::Error>(())
/// ```
#[must_use]
pub fn config(settings: &Settings) -> Config {
    let node = |machine: &Machine, number| {
        let addresses: Vec<_> = [machine.dialogue]
            .into_iter()
            .chain(machine.spare)
            .collect();
        Node::new(machine.name.as_str(), number, &addresses)
    };
    let nodes = vec![node(&settings.maitre, 1), node(&settings.esclave, 2)];
    let (name, dialogue) = (&settings.cluster_name, &settings.dialogue);
    let mut config = match dialogue.transport {
        Transport::Multicast => Config::multicast(name, nodes, dialogue.group, dialogue.port),
        Transport::Knet => {
            let mut config = Config::knet(name, nodes);
            let links = if settings.maitre.spare.is_some() {
                2
            } else {
                1
            };
            config.totem.interfaces = (0..links)
                .map(|link| Interface {
                    linknumber: Some(link),
                    mcastport: dialogue.port.checked_add(u16::from(link)),
                    ..Interface::default()
                })
                .collect();
            config
        }
    };
    config.totem.token = Some(dialogue.profile.token());
    config
}

/// Returns the file that says it.
#[must_use]
pub fn file(settings: &Settings) -> File {
    let mut file = config(settings).to_file();
    file.root.entries.insert(0, Entry::Comment(MARK.to_owned()));
    file
}
