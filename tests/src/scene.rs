//! The traffic that a Sphynx pair is for, watched without a pause: how long which part of it was silent.

use std::fmt;
use std::time::{Duration, Instant};

use ha_core::Result;

use crate::tunnel::{AMON_LAN, host_behind};
use crate::{Lab, Pings, sphynx};

/// The traffic to and through the pair of a lab.
#[derive(Debug)]
pub struct Scene<'lab> {
    lab: &'lab Lab,
    limit: Duration,
    traffic: Vec<(&'static str, Pings)>,
}

/// How long each kind of traffic was silent.
#[derive(Debug, Clone)]
pub struct Silences(pub Vec<(&'static str, Duration)>);

impl fmt::Display for Silences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, silence)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "; " };
            write!(f, "{comma}{name} silent for {:.2} s", silence.as_secs_f64())?;
        }
        Ok(())
    }
}

impl<'lab> Scene<'lab> {
    /// Begins to watch: `VIP_externe` from the outside, and the tunnel in both directions where the lab has
    /// one. Nothing may take longer than `limit`.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`] for traffic that does not flow; an I/O error.
    pub fn start(lab: &'lab Lab, limit: Duration) -> Result<Self> {
        let gateway = lab.node("gateway")?;
        let vip = Pings::start(&gateway, sphynx::VIP_EXTERNE, limit)?;
        let mut traffic = vec![("VIP_externe", vip)];
        if lab.options().tunnel {
            let amon = lab.node("amon")?;
            let out = Pings::start(&gateway, AMON_LAN, limit)?;
            traffic.push(("the tunnel from inside", out));
            let back = Pings::start(&amon, &host_behind(), limit)?;
            traffic.push(("the tunnel from outside", back));
        }
        Ok(Self {
            lab,
            limit,
            traffic,
        })
    }

    /// The lab of this traffic.
    #[must_use]
    pub fn lab(&self) -> &'lab Lab {
        self.lab
    }

    /// Waits until the group is on that node and all traffic flows again; returns how long which traffic was
    /// silent since then.
    ///
    /// # Errors
    /// [`ha_core::ErrorKind::Timeout`] with what is missing.
    pub fn recovers(&self, since: Instant, on: &str) -> Result<Silences> {
        self.lab.wait_sphynx(on, self.limit)?;
        let now = Instant::now();
        let mut silences = Vec::new();
        for (name, pings) in &self.traffic {
            pings.answers_after(now, self.limit)?;
            silences.push((*name, pings.longest_silence(since)));
        }
        Ok(Silences(silences))
    }
}
