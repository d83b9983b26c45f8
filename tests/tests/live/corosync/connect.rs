//! Who may connect, and what connections leave behind.

use ha_core::live::corosync::cfg::Cfg;
use ha_core::live::corosync::cmap::{Cmap, Map, Track};
use ha_core::live::corosync::cpg::{self, Cpg};
use ha_core::live::corosync::quorum::{self, Quorum};
use ha_core::live::corosync::votequorum::VoteQuorum;
use ha_core::live::corosync::{NodeId, Options};
use ha_core::{ErrorKind, Result};
use lab::harness::Harness;

use super::LONG;
use crate::process::no_growth;

pub(super) fn register(harness: &mut Harness) {
    for (name, function) in [
        (
            "corosync::an_ordinary_user_is_refused",
            an_ordinary_user as fn(()) -> Result<()>,
        ),
        (
            "corosync::connections_leave_nothing",
            connections_leave_nothing,
        ),
    ] {
        harness.agent(name, function);
        harness.shared(name, move |lab| lab.node("esclave")?.call(name, &()));
    }
}

/// A user that corosync does not know may not connect, and is told what to do.
fn an_ordinary_user(_: ()) -> Result<()> {
    // Only this thread, and those it makes, become another user.
    let group = rustix::process::Gid::from_raw(65_534);
    rustix::thread::set_thread_res_gid(Some(group), Some(group), Some(group))
        .map_err(std::io::Error::from)?;
    let user = rustix::process::Uid::from_raw(65_534);
    rustix::thread::set_thread_res_uid(Some(user), Some(user), Some(user))
        .map_err(std::io::Error::from)?;
    let options = Options::default();
    for e in [
        Cpg::connect(&cpg::Options::default()).err(),
        Quorum::connect(&options).err(),
        VoteQuorum::connect(&options).err(),
        Cmap::connect(Map::Statistics, &options).err(),
        Cfg::connect(&options).err(),
    ] {
        let e = e.expect("an ordinary user is refused");
        assert_eq!(e.kind(), ErrorKind::PermissionDenied, "{e:#}");
        assert!(
            e.hint().is_some_and(|hint| hint.contains("uidgid")),
            "{e:?}"
        );
    }
    Ok(())
}

fn connections_leave_nothing(_: ()) -> Result<()> {
    let options = Options::default();
    let cycle = || {
        let mut quorum = Quorum::connect(&options)?;
        quorum.track()?;
        let event = quorum.next_event(LONG)?;
        assert!(matches!(
            event,
            Some(quorum::Event::Quorum { .. } | quorum::Event::Nodes { .. })
        ));
        VoteQuorum::connect(&options)?.info(NodeId(1))?;
        let map = Cmap::connect(Map::Configuration, &options)?;
        let track = map.track(&Track::prefix("leaves."))?;
        map.keys("totem.")?;
        drop(track);
        Cfg::connect(&options)?.interfaces().map(drop)
    };
    // 1000 in all.
    no_growth(200, 100, cycle)
}
