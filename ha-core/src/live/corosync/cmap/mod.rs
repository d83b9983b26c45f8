//! The maps of the running corosync: its configuration with its state, and its statistics.
//!
//! A map holds typed values under keys such as `totem.cluster_name` or
//! `runtime.members.1.status`; `corosync-cmapctl` prints it.
//!
//! # Example
//! ```no_run
//! use ha_core::live::corosync::Options;
//! use ha_core::live::corosync::cmap::{Cmap, Map};
//!
//! let map = Cmap::connect(Map::Configuration, &Options::default())?;
//! let name: Option<String> = map.get_as("totem.cluster_name")?;
//! for (key, value) in map.entries("nodelist.node.")? {
//!     println!("{key} = {value}");
//! }
//! # Ok::<(), ha_core::Error>(())
//! ```

mod value;

use std::collections::VecDeque;
use std::ffi::CString;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use super::Options;
use super::connection::{Connection, Link};
use super::listener::{Listener, library};
use super::watch::{Reconnect, Source, Watch};
use crate::live::ffi::corosync::{Requests, Status, cmap as ffi};
use crate::{Error, ErrorExt, ErrorKind, Result};

pub use value::Value;

library!(ffi::Cmap, "maps", Change, ffi::dispatch);

/// Which map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Map {
    /// corosync.conf as it is in force, and the state of the cluster under `runtime.`.
    #[default]
    Configuration,
    /// Counters, under `stats.`; most are computed when read, and they cannot be set.
    Statistics,
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It has another value.
    Modified,
    /// It is gone.
    Deleted,
}

/// A change of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Whose change it is, see [`Tracking::id`].
    pub track: TrackId,
    /// What happened.
    pub kind: ChangeKind,
    /// The key.
    pub key: String,
    /// Its value now, unless it is gone.
    pub new: Option<Value>,
    /// Its value before, unless it is new.
    pub old: Option<Value>,
}

/// Tells one [`Tracking`] of a connection from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackId(pub(in crate::live) u64);

/// Which changes to follow.
///
/// # Example
/// ```
/// use ha_core::live::corosync::cmap::{ChangeKind, Track};
/// let members = Track::prefix("runtime.members.");
/// let reloads = Track::key("config.totemconfig_reload_in_progress").only(&[ChangeKind::Modified]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    key: String,
    prefix: bool,
    kinds: Vec<ChangeKind>,
}

impl Track {
    /// The changes of one key, which need not exist yet.
    #[must_use]
    pub fn key(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            prefix: false,
            kinds: Self::all(),
        }
    }

    /// The changes of all keys that begin so; of all keys, when it is empty.
    #[must_use]
    pub fn prefix(prefix: impl Into<String>) -> Self {
        Self {
            key: prefix.into(),
            prefix: true,
            kinds: Self::all(),
        }
    }

    /// Only these kinds of changes.
    #[must_use]
    pub fn only(mut self, kinds: &[ChangeKind]) -> Self {
        self.kinds = kinds.to_vec();
        self
    }

    fn all() -> Vec<ChangeKind> {
        vec![ChangeKind::Added, ChangeKind::Modified, ChangeKind::Deleted]
    }
}

/// A connection to one map of corosync.
#[derive(Debug)]
#[doc(alias = "cmap_handle_t")]
pub struct Cmap {
    connection: Listener<ffi::Cmap>,
}

impl Cmap {
    /// Connects to the corosync of this node.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync does not run, [`ErrorKind::PermissionDenied`] when
    /// it does not let this user in, [`ErrorKind::Timeout`] when it does not answer in time.
    #[doc(alias = "cmap_initialize_map")]
    pub fn connect(map: Map, options: &Options) -> Result<Self> {
        let connection = Connection::<ffi::Cmap>::open(options, move || ffi::connect(map))?;
        Ok(Self {
            connection: Listener::new(connection),
        })
    }

    /// Connects and returns changes as events; see [`Watch`]. After [`Update::Regained`] the map
    /// is another one: read what you need anew.
    ///
    /// # Errors
    /// Those of [`Cmap::connect`] and [`Cmap::track`].
    ///
    /// [`Update::Regained`]: super::Update::Regained
    pub fn watch(
        map: Map,
        options: &Options,
        tracks: &[Track],
        reconnect: Reconnect,
    ) -> Result<Watch<Self>> {
        Watch::start((map, options.clone(), tracks.to_vec()), reconnect)
    }

    /// Returns a value, nothing when there is no such key.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it cannot be a key, else those of any call.
    #[doc(alias = "cmap_get")]
    pub fn get(&self, key: &str) -> Result<Option<Value>> {
        let name = c_key(key)?;
        let result =
            self.connection
                .call_about("read", key, move |requests| match requests.get(&name) {
                    Ok(value) => Ok(Some(value)),
                    Err(Status::NOT_EXIST) => Ok(None),
                    Err(status) => Err(status),
                });
        explain(result, format_args!("read {key}"), BAD_KEY)
    }

    /// Returns a value as a Rust type, nothing when there is no such key.
    ///
    /// Any integer that fits is converted, from any of the map's integer types.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when the value is of another type or does not fit, else those of
    /// [`Cmap::get`].
    pub fn get_as<T: TryFrom<Value, Error = Error>>(&self, key: &str) -> Result<Option<T>> {
        let value = self.get(key)?.map(T::try_from).transpose();
        value.with_context(|| format!("read {key}"))
    }

    /// Sets a value, making the key when it is new. The value brings its type with it; the type of
    /// an existing key may change.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] when corosync keeps the key for itself,
    /// [`ErrorKind::Invalid`] when it cannot be a key or a text has a NUL in it,
    /// [`ErrorKind::Limit`] when the value is longer than 16 KiB, else those of any call.
    #[doc(alias = "cmap_set")]
    pub fn set(&self, key: &str, value: impl Into<Value>) -> Result<()> {
        let (name, value) = (c_key(key)?, value.into());
        value
            .check()
            .with_context(|| format!("set {}", key.escape_debug()))?;
        let result = self
            .connection
            .call_about("set", key, move |requests| requests.set(&name, &value));
        explain(result, format_args!("set {}", key.escape_debug()), BAD_KEY)
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such key, [`ErrorKind::PermissionDenied`] when
    /// corosync keeps it for itself, else those of any call.
    #[doc(alias = "cmap_delete")]
    pub fn delete(&self, key: &str) -> Result<()> {
        let name = c_key(key)?;
        let result = self
            .connection
            .call_about("delete", key, move |requests| requests.delete(&name));
        explain(result, format_args!("delete {key}"), BAD_KEY)
    }

    /// Adds 1 to an integer.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such key, [`ErrorKind::Invalid`] when it is no
    /// integer, [`ErrorKind::PermissionDenied`] when corosync keeps it for itself, else those of
    /// any call.
    #[doc(alias = "cmap_inc")]
    pub fn increment(&self, key: &str) -> Result<()> {
        let name = c_key(key)?;
        let result = self
            .connection
            .call_about("increment", key, move |requests| requests.increment(&name));
        explain(result, format_args!("increment {key}"), NOT_AN_INTEGER)
    }

    /// Takes 1 from an integer.
    ///
    /// # Errors
    /// Those of [`Cmap::increment`].
    #[doc(alias = "cmap_dec")]
    pub fn decrement(&self, key: &str) -> Result<()> {
        let name = c_key(key)?;
        let result = self
            .connection
            .call_about("decrement", key, move |requests| requests.decrement(&name));
        explain(result, format_args!("decrement {key}"), NOT_AN_INTEGER)
    }

    /// Returns all keys that begin so, in order; all keys, when it is empty.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cmap_iter_init")]
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>> {
        let start = c_text(prefix)?;
        self.connection
            .call_about("list the keys of", Prefix(prefix), move |requests| {
                requests.keys(&start)
            })
    }

    /// Returns all keys that begin so, in order, with their values. A key that goes while it is
    /// read is left out.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cmap_iter_next")]
    pub fn entries(&self, prefix: &str) -> Result<Vec<(String, Value)>> {
        let start = c_text(prefix)?;
        self.connection
            .call_about("read the values of", Prefix(prefix), move |requests| {
                requests.entries(&start)
            })
    }

    /// Starts to give the changes of a key or a prefix as events, until the result is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when it cannot be a key, else those of any call.
    #[doc(alias = "cmap_track_add")]
    pub fn track(&self, track: &Track) -> Result<Tracking> {
        let Track { key, prefix, kinds } = track.clone();
        let name = if prefix { c_text(&key)? } else { c_key(&key)? };
        let result = self
            .connection
            .call_about("follow", Prefix(&key), move |requests| {
                let name = (!name.is_empty()).then_some(name.as_c_str());
                requests.track(name, &kinds, prefix)
            });
        let id = explain(result, format_args!("follow {}", Prefix(&key)), BAD_KEY)?;
        Ok(Tracking {
            link: Some(self.connection.link().clone()),
            id,
        })
    }

    /// Returns the next change, waiting for it up to `timeout`; nothing when none came.
    ///
    /// # Errors
    /// [`ErrorKind::Disconnected`] when corosync ended.
    #[doc(alias = "cmap_dispatch")]
    pub fn next_change(&mut self, timeout: Duration) -> Result<Option<Change>> {
        self.connection.next(timeout)
    }
}

impl AsFd for Cmap {
    /// The descriptor is readable when [`Cmap::next_change`] has something to read.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl Source for Cmap {
    type Event = Change;
    type Setup = (Map, Options, Vec<Track>);

    fn open((map, options, tracks): &Self::Setup) -> Result<Self> {
        let cmap = Self::connect(*map, options)?;
        for track in tracks {
            cmap.track(track)?.keep();
        }
        Ok(cmap)
    }

    fn collect(&mut self, into: &mut VecDeque<Change>, timeout: Duration) -> Result<()> {
        self.connection.collect(into, timeout)
    }
}

/// Changes are given as events as long as this is there.
#[derive(Debug)]
#[must_use = "the changes are followed only until this is dropped"]
pub struct Tracking {
    link: Option<Arc<Link<ffi::Cmap>>>,
    id: TrackId,
}

impl Tracking {
    /// Returns what [`Change::track`] is for the changes of this.
    #[must_use]
    pub fn id(&self) -> TrackId {
        self.id
    }

    /// Follows the changes until the connection is closed.
    pub fn keep(mut self) {
        self.link = None;
    }

    /// Stops following, and tells how that went.
    ///
    /// # Errors
    /// Those of any call.
    #[doc(alias = "cmap_track_delete")]
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let Some(link) = self.link.take() else {
            return Ok(());
        };
        let id = self.id;
        link.call(
            "stop following",
            link.timeout(),
            move |requests: &mut Requests<_>| requests.untrack(id),
        )
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        if let Err(e) = self.end() {
            tracing::debug!("{e:#}");
        }
    }
}

/// The longest key, in bytes.
const LONGEST_KEY: usize = 255;
/// The shortest key, in bytes.
const SHORTEST_KEY: usize = 3;

fn c_key(key: &str) -> Result<CString> {
    if !(SHORTEST_KEY..=LONGEST_KEY).contains(&key.len()) {
        return Err(Error::invalid(format!(
            "a key has {SHORTEST_KEY} to {LONGEST_KEY} bytes, {key:?} has {}",
            key.len()
        )));
    }
    c_text(key)
}

fn c_text(text: &str) -> Result<CString> {
    if text.len() > LONGEST_KEY {
        return Err(Error::invalid(format!(
            "a key has at most {LONGEST_KEY} bytes"
        )));
    }
    CString::new(text).map_err(|_| Error::invalid(format!("{text:?} has a NUL in it")))
}

/// Says what corosync's general codes mean for a key.
fn explain<T>(result: Result<T>, what: impl fmt::Display, invalid: &'static str) -> Result<T> {
    result.map_err(|e| {
        let (kind, message) = match (e.kind(), e.code()) {
            (ErrorKind::Invalid, Some(_)) => (ErrorKind::Invalid, invalid),
            (ErrorKind::PermissionDenied, Some(_)) => (
                ErrorKind::PermissionDenied,
                "corosync keeps this key for itself, or lets this user read only",
            ),
            _ => return e,
        };
        let code = e.code().unwrap_or_default();
        Error::new(kind, message)
            .with_code(code)
            .context(what.to_string())
    })
}

const BAD_KEY: &str = "not a key: letters, digits and . _ - / : only";
const NOT_AN_INTEGER: &str = "the value is no integer";

/// A prefix in a message.
struct Prefix<'a>(&'a str);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("the whole map")
        } else {
            f.write_str(self.0)
        }
    }
}
