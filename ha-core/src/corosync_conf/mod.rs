//! `corosync.conf`: read without loss, built from types, checked, compared.
//!
//! A [`File`] is the text with its comments and its order; a [`Config`] is what it says, as types. [`check()`] tells what
//! corosync refuses or reads otherwise than meant, before the file is written; [`changes()`] what differs between two files.
//!
//! # Example
//! ```
//! use ha_core::corosync_conf::{Config, Effect, File, Node, changes, check};
//!
//! let nodes = vec![
//!     Node::new("maitre", 1, &["10.1.1.1".parse()?]),
//!     Node::new("esclave", 2, &["10.1.1.2".parse()?]),
//! ];
//! let mut config = Config::multicast("sphynx", nodes, "239.192.101.1".parse()?, 5405);
//! let old = config.to_file();
//! assert_eq!(check(&old), []);
//!
//! config.totem.token = Some(1000);
//! let new = File::parse(&config.to_file().to_string())?;
//! let difference = changes(&old, &new);
//! assert_eq!(difference[0].to_string(), "totem.token: 1000 (new)");
//! assert_eq!(difference[0].effect, Effect::Reload);
//!
//! config.totem.token = Some(100);
//! let faults = check(&config.to_file());
//! assert_eq!(faults[0].path, "totem.token");
//! assert!(faults[0].refused);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod allowed;
mod change;
mod check;
mod config;
mod file;
mod network;

pub use change::{Change, Effect, changes};
pub use check::{Fault, check, check_networks};
pub use config::{Cipher, Config, Hash, Interface, Logging, Node, Quorum, Totem, Transport};
pub use file::{Entry, File, Named, Section, Value};
pub use network::Network;
