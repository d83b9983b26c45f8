//! Leaving a group, and dropping what is in one, while corosync is away and a watch looks for it.

use std::time::{Duration, Instant};

use ha_core::live::corosync::cpg::{Cpg, Group, Options, OwnedEvent};
use ha_core::live::corosync::{Reconnect, Update, Watch};
use ha_core::{Error, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, NotYet, Transport, agent, wait_until};

use super::{LONG, joined, machines, restart_corosync, start_corosync, within};
use crate::process::descriptors;

pub(super) fn register(harness: &mut Harness) {
    harness.agent("corosync::leave", leave);
    harness.test(
        "corosync::leaving_while_corosync_is_away",
        own(machines(1, Transport::Udp), leaving_while_away),
    );
}

/// Waits for an update of a watch.
fn wait_for(
    watch: &mut Watch<Cpg>,
    what: &str,
    wanted: impl Fn(&Update<OwnedEvent>) -> bool,
) -> Result<()> {
    let end = Instant::now() + LONG;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        if watch
            .next_within(left)?
            .is_some_and(|update| wanted(&update))
        {
            return Ok(());
        }
    }
    Err(Error::new(ErrorKind::Timeout, format!("no {what}")))
}

fn is_ours(update: &Update<OwnedEvent>, members: usize) -> bool {
    matches!(update, Update::Event(OwnedEvent::Members(m)) if m.members.len() == members)
}

fn gone(result: Result<()>) {
    let e = result.expect_err("corosync is away");
    assert_eq!(e.kind(), ErrorKind::Disconnected, "{e:?}");
    assert!(e.is_retryable());
}

fn leave(_: ()) -> Result<()> {
    let options = Options {
        common: within(LONG),
        ..Options::default()
    };
    let [stays, dropped, plain] = ["stays", "dropped", "plain"].map(Group::new);
    let (stays, dropped, plain) = (stays?, dropped?, plain?);
    drop(joined("warm up", 1)?);
    let before = descriptors()?;
    let mut watch = Cpg::watch(&options, &stays, Reconnect::Always)?;
    wait_for(&mut watch, "join", |u| is_ours(u, 1))?;
    let one = descriptors()? - before;
    let mut other = Cpg::watch(&options, &dropped, Reconnect::Always)?;
    let unread = Cpg::watch(&options, &dropped_unread()?, Reconnect::Always)?;
    let alone = joined("plain", 1)?;
    agent::say(&"ready")?;
    agent::listen::<()>()?;

    // The loss is not noted yet: leaving says that corosync is gone, at once.
    let start = Instant::now();
    gone(alone.leave(&plain));
    let connection = watch.connection().expect("nobody has looked");
    gone(connection.leave(&stays));
    // Noted: there is nothing to leave any more.
    wait_for(&mut watch, "loss", |u| matches!(u, Update::Lost(_)))?;
    assert!(watch.connection().is_none());
    wait_for(&mut other, "loss", |u| matches!(u, Update::Lost(_)))?;
    // What is dropped while it looks for corosync, or before it noticed, is gone.
    while other.next_within(Duration::from_millis(100))?.is_some() {}
    drop((other, unread, alone));
    wait_until(LONG, "what was dropped is closed", || {
        match descriptors()? {
            now if now <= before => Ok(()),
            now => Err(NotYet::because(format!("{now}, not {before}"))),
        }
    })?;
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    agent::say(&"away")?;

    // Only the one that stays is in its group again; and it can leave.
    wait_for(&mut watch, "return", |u| matches!(u, Update::Regained))?;
    wait_for(&mut watch, "join", |u| is_ours(u, 1))?;
    let connection = watch.connection().expect("connected");
    assert!(connection.members(&dropped)?.is_empty());
    assert!(connection.members(&dropped_unread()?)?.is_empty());
    assert!(connection.members(&plain)?.is_empty());
    connection.leave(&stays)?;
    wait_for(&mut watch, "end", |u| is_ours(u, 0))?;
    let connection = watch.connection().expect("connected");
    assert!(connection.members(&stays)?.is_empty());
    assert_eq!(
        connection.leave(&stays).map_err(|e| e.kind()),
        Err(ErrorKind::NotFound)
    );
    wait_until(LONG, "one connection is open", || match descriptors()? {
        now if now <= before + one => Ok(()),
        now => Err(NotYet::because(format!("{now}, not {}", before + one))),
    })?;
    drop(watch);
    wait_until(LONG, "all is closed", || match descriptors()? {
        now if now <= before => Ok(()),
        now => Err(NotYet::because(format!("{now}, not {before}"))),
    })
}

fn dropped_unread() -> Result<Group> {
    Group::new("dropped unread")
}

fn leaving_while_away(lab: &Lab) -> Result<()> {
    start_corosync(lab)?;
    let node = lab.node("maitre")?;
    let mut agent = node.start_agent("corosync::leave", &())?;
    assert_eq!(agent.heard::<String>()?.as_deref(), Some("ready"));
    node.kill("corosync")?;
    agent.tell(&())?;
    assert_eq!(agent.heard::<String>()?.as_deref(), Some("away"));
    lab.wait_until(LONG, "corosync can be started again", || {
        restart_corosync(&node).map_err(NotYet::from)
    })?;
    agent.result()
}
