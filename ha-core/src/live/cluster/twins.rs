//! What waits for the cluster, for programs that run tokio.
//!
//! The work is done on a thread for blocking calls: no future here holds up others.

use std::time::Duration;

use super::{Cluster, ConnectOptions, Forget, Forgotten, Move, Operation, Restart, blocking};
use crate::Result;
use crate::change::{Action, Plan};
use crate::status::ClusterStatus;
use crate::xml::Document;

impl Cluster {
    /// As [`connect`](Self::connect), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn connect_async(options: &ConnectOptions) -> Result<Self> {
        let options = options.clone();
        blocking(move || Self::connect(&options)).await
    }

    /// As [`status`](Self::status), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`status`](Self::status).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn status_async(&self) -> Result<ClusterStatus> {
        let cluster = self.clone();
        blocking(move || cluster.status()).await
    }

    /// As [`change`](Self::change), for programs that run tokio. A future that is dropped does not take back what
    /// was sent.
    ///
    /// # Errors
    /// Those of [`change`](Self::change).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn change_async(
        &self,
        edit: impl Fn(&mut Document) -> Result<()> + Send + 'static,
    ) -> Result<Plan> {
        let cluster = self.clone();
        blocking(move || cluster.change(edit)).await
    }

    /// As [`abandoned`](Self::abandoned), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`abandoned`](Self::abandoned).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn abandoned_async(&self) -> Result<Vec<String>> {
        let cluster = self.clone();
        blocking(move || cluster.abandoned()).await
    }

    /// As [`end_abandoned`](Self::end_abandoned), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`end_abandoned`](Self::end_abandoned).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn end_abandoned_async(&self) -> Result<Vec<String>> {
        let cluster = self.clone();
        blocking(move || cluster.end_abandoned()).await
    }

    /// As [`end_own`](Self::end_own), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`end_own`](Self::end_own).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn end_own_async(&self) -> Result<Vec<String>> {
        let cluster = self.clone();
        blocking(move || cluster.end_own()).await
    }

    /// As [`dc`](Self::dc), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`dc`](Self::dc).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn dc_async(
        &self,
        timeout: Duration,
    ) -> Result<crate::live::pacemaker::controld::Ping> {
        let cluster = self.clone();
        blocking(move || cluster.dc(timeout)).await
    }
}

impl Operation {
    /// As [`plan`](Self::plan), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn plan_async(&self) -> Result<Plan> {
        let this = self.clone();
        blocking(move || this.plan()).await
    }

    /// As [`what_if`](Self::what_if), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`what_if`](Self::what_if).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn what_if_async(&self) -> Result<Vec<Action>> {
        let this = self.clone();
        blocking(move || this.what_if()).await
    }
}

impl Move {
    /// As [`what_if`](Self::what_if), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`what_if`](Self::what_if).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn what_if_async(&self) -> Result<Vec<Action>> {
        let this = self.clone();
        blocking(move || this.what_if()).await
    }
}

impl Restart {
    /// As [`what_if`](Self::what_if), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`what_if`](Self::what_if).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn what_if_async(&self) -> Result<Vec<Action>> {
        let this = self.clone();
        blocking(move || this.what_if()).await
    }
}

impl Forget {
    /// As [`what_if`](Self::what_if), for programs that run tokio.
    ///
    /// # Errors
    /// Those of [`what_if`](Self::what_if).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn what_if_async(&self) -> Result<Vec<Forgotten>> {
        let this = self.clone();
        blocking(move || this.what_if()).await
    }
}
