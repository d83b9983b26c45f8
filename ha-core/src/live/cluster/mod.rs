//! The cluster as a whole: its state, changes of its configuration, and waiting until something is so.
//!
//! A [`Cluster`] is what a program that administers a cluster holds. It reads the status, changes the
//! configuration in one step that keeps what others change meanwhile, and waits: waits follow
//! the CIB change by change, and ask the Designated Controller whether it is idle only once nothing else is missing.
//!
//! # Example
//! ```no_run
//! use ha_core::live::cluster::{Cluster, ConnectOptions};
//! use std::time::Duration;
//! let cluster = Cluster::connect(&ConnectOptions::default())?;
//! println!("VIP_externe runs on {:?}", cluster.status()?.active_on("VIP_externe"));
//! let on_maitre = |status: &ha_core::status::ClusterStatus| {
//!     status.active_on("VIP_externe") == ["maitre"]
//! };
//! cluster.wait_for(Duration::from_secs(60), on_maitre)?;
//! cluster.settle(Duration::from_secs(60))?;
//! # Ok::<(), ha_core::Error>(())
//! ```

mod agents;
mod change;
mod departure;
mod events;
mod fail_count;
mod fencing;
mod follow;
mod forget;
mod goal;
mod maker;
mod node;
mod operation;
mod relocate;
mod resource;
mod restart;
mod running;
mod settings;
#[cfg(feature = "tokio")]
mod twins;
mod unfinished;

pub use crate::live::pacemaker::cib::ConnectOptions;
pub use agents::InstalledAgents;
#[cfg(feature = "tokio")]
pub use events::EventStream;
pub use events::Events;
pub use fail_count::FailCount;
pub use fencing::{FenceDevice, Fencing};
pub use forget::{Forget, Forgotten};
pub use node::{Lifetime, NodeHandle, NodeHealth};
pub use operation::{Done, Operation};
pub use relocate::{Foreseen, Move, Moved};
pub use resource::ResourceHandle;
pub use restart::Restart;
pub use settings::TicketHandle;
pub use unfinished::{Unfinished, UnfinishedList};

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::live::pacemaker::cib::Cib;
use crate::live::pacemaker::exchange;
use crate::status::{self, ClusterStatus};
use crate::xml::Document;
use crate::{ErrorExt, Result};

use follow::{Follow, Reached, Teller, Verdict};

/// A session with the cluster that this node belongs to.
///
/// Cheap to clone and usable from any thread; all of a process's sessions share one connection to the
/// CIB manager, which is made again when the daemon was restarted.
#[derive(Debug, Clone)]
pub struct Cluster {
    cib: Cib,
    teller: Option<Teller>,
}

impl Cluster {
    /// Connects to the cluster of this node.
    ///
    /// # Errors
    /// Those of [`Cib::connect`].
    pub fn connect(options: &ConnectOptions) -> Result<Self> {
        Cib::connect(options).map(|cib| Self { cib, teller: None })
    }

    /// Opens a CIB file, to work on it as on a cluster's configuration: see [`Cib::open_file`].
    ///
    /// Operations change the file, also those that a daemon would do. There is nobody to wait for, so that
    /// waits look once at what the file says.
    ///
    /// # Errors
    /// Those of [`Cib::open_file`].
    pub fn open_file(path: impl AsRef<std::path::Path>) -> Result<Self> {
        Cib::open_file(path).map(|cib| Self { cib, teller: None })
    }

    /// Returns the CIB, for what is not offered here.
    #[must_use]
    pub fn cib(&self) -> &Cib {
        &self.cib
    }

    /// Returns a handle to a resource, by its id.
    #[must_use]
    pub fn resource(&self, id: &str) -> ResourceHandle {
        ResourceHandle {
            cluster: self.clone(),
            id: id.to_owned(),
        }
    }

    /// Returns a handle to a node, by its name.
    #[must_use]
    pub fn node(&self, name: &str) -> NodeHandle {
        NodeHandle {
            cluster: self.clone(),
            name: name.to_owned(),
        }
    }

    /// Returns a session whose calls may take so long. Waits have a limit of their own.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self {
            cib: self.cib.with_timeout(timeout),
            teller: self.teller.clone(),
        }
    }

    /// Returns a session that tells, while something is waited for, what is not finished: whenever that
    /// changes, on the thread that waits. For a display of progress.
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions, Unfinished};
    /// let cluster = Cluster::connect(&ConnectOptions::default())?.telling(|unfinished| {
    ///     let list: Vec<String> = unfinished.iter().map(Unfinished::to_string).collect();
    ///     eprintln!("waiting: {}", list.join("; "));
    /// });
    /// cluster.settle(std::time::Duration::from_secs(60))?;
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[must_use]
    pub fn telling(&self, tell: impl Fn(&[Unfinished]) + Send + Sync + 'static) -> Self {
        Self {
            cib: self.cib.clone(),
            teller: Some(Teller::new(tell)),
        }
    }

    /// Reads what is so in the cluster now.
    ///
    /// # Errors
    /// Those of [`Cib::query`].
    pub fn status(&self) -> Result<ClusterStatus> {
        let cib = self.cib.query().context("read the cluster's status")?;
        Ok(status_of(&cib))
    }

    /// Waits until a condition holds, and returns the status in which it does.
    ///
    /// The condition is asked about the state now, and then after each change; of changes that come
    /// faster than they are read it sees the last. While the CIB manager restarts, the wait goes on.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when it does not hold in time: the error's
    /// text lists what was under way or failed meanwhile, and so does [`Unfinished::of`]. Else those of
    /// [`Cib::query`].
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions};
    /// # let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// let all_online = |status: &ha_core::status::ClusterStatus| status.nodes().all(|n| n.online);
    /// let status = cluster.wait_for(std::time::Duration::from_secs(120), all_online)?;
    /// assert!(status.quorate);
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    pub fn wait_for(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&ClusterStatus) -> bool,
    ) -> Result<ClusterStatus> {
        let deadline = exchange::deadline(timeout);
        let what = "wait for a state of the cluster";
        let mut follow = Follow::open(self, deadline).context(what)?;
        let held = follow.until(deadline, |_, status| condition(status));
        match held.context(what)? {
            Some(status) => Ok(status),
            None => Err(follow
                .timed_out("the condition does not hold", timeout)
                .context(what)),
        }
    }

    /// Waits until the cluster has done all that its configuration asks for: no operation is under way,
    /// no node is joining, the Designated Controller is idle, and Pacemaker's scheduler wants nothing more.
    ///
    /// What cannot be done counts as done: a resource without a node to run on does not keep the
    /// cluster from settling. This is `crm_resource --wait` with an end and an explanation.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when it goes on: the error's text lists what
    /// was not finished, and so does [`Unfinished::of`]. Else those of [`Cib::query`].
    ///
    /// # Example
    /// ```no_run
    /// # use ha_core::live::cluster::{Cluster, ConnectOptions, Unfinished};
    /// # let cluster = Cluster::connect(&ConnectOptions::default())?;
    /// if let Err(e) = cluster.settle(std::time::Duration::from_secs(60)) {
    ///     for unfinished in Unfinished::of(&e) {
    ///         println!("still going on: {unfinished}");
    ///     }
    /// }
    /// # Ok::<(), ha_core::Error>(())
    /// ```
    #[doc(alias = "crm_resource --wait")]
    pub fn settle(&self, timeout: Duration) -> Result<ClusterStatus> {
        let deadline = exchange::deadline(timeout);
        let what = "wait until the cluster is settled";
        let mut follow = Follow::open(self, deadline).context(what)?;
        let anyhow = |_: &Document, _: &ClusterStatus| Verdict::Reached;
        match follow.settled(deadline, anyhow).context(what)? {
            Reached::Settled(status) | Reached::Otherwise(status) => Ok(status),
            Reached::Not => Err(follow
                .timed_out("the cluster has not settled", timeout)
                .context(what)),
        }
    }
}

#[cfg(feature = "tokio")]
impl Cluster {
    /// As [`wait_for`](Self::wait_for), for programs that run tokio. A future that is dropped leaves a thread
    /// waiting until the time-out.
    ///
    /// # Errors
    /// Those of [`wait_for`](Self::wait_for).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn wait_for_async(
        &self,
        timeout: Duration,
        condition: impl FnMut(&ClusterStatus) -> bool + Send + 'static,
    ) -> Result<ClusterStatus> {
        let cluster = self.clone();
        blocking(move || cluster.wait_for(timeout, condition)).await
    }

    /// As [`settle`](Self::settle), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`settle`](Self::settle).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn settle_async(&self, timeout: Duration) -> Result<ClusterStatus> {
        let cluster = self.clone();
        blocking(move || cluster.settle(timeout)).await
    }
}

/// What a CIB says now.
fn status_of(cib: &Document) -> ClusterStatus {
    status::compute(cib, Timestamp::now(), &TimeZone::system())
}

/// Runs what blocks on a thread for it.
#[cfg(feature = "tokio")]
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(e) => Err(crate::Error::new(
                crate::ErrorKind::Disconnected,
                format!("the runtime ended: {e}"),
            )),
        },
    }
}
