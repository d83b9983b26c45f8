//! Waiting for the daemons of Pacemaker that were killed to be there again.

use std::time::{Duration, Instant};

use ha_core::Result;
use lab::{Lab, Node, NotYet};

/// What pacemakerd logs when it leaves a daemon dead.
const GIVEN_UP: &str = "subdaemon until cluster returns";

/// What runs on a node, each before what it would start again.
const ALL: [&str; 8] = [
    "pacemakerd",
    "pacemaker-controld",
    "pacemaker-schedulerd",
    "pacemaker-attrd",
    "pacemaker-execd",
    "pacemaker-fenced",
    "pacemaker-based",
    "corosync",
];

/// Waits for what must hold after a daemon of Pacemaker was killed, and does what an administrator
/// would have to do when Pacemaker leaves it dead.
///
/// Before pacemakerd (2.1) starts a daemon again it looks whether corosync is there, by a new
/// connection. Daemons die together; when the signal of the next one's death comes while that
/// connection is made, it fails ("Error in connection setup ... Broken pipe" in corosync's log at the
/// same moment), and pacemakerd takes corosync for lost: it starts that daemon no more "until cluster
/// returns", which it never does, since it was not away. On a loaded machine that is one kill in
/// twenty. A restart of corosync on the node ends it.
///
/// And a controller that starts while corosync is away or stopped ends with "Fatal error occurred, will
/// not respawn": pacemakerd then stops the others and corosync, and ends too. Both are started again.
/// So is a node on which a daemon is missing and nothing comes of waiting, whatever the reason.
pub(crate) fn wait_respawned(
    lab: &Lab,
    node: &Node<'_>,
    what: &str,
    mut look: impl FnMut() -> Result<(), NotYet>,
) -> Result<()> {
    let given_up = || -> Result<usize> {
        let log = node.read("/var/log/pacemaker/pacemaker.log")?;
        Ok(log.matches(GIVEN_UP).count())
    };
    let mut helped = 0;
    let mut since = Instant::now();
    lab.wait_until(Duration::from_secs(300), what, || {
        let Err(missing) = look() else { return Ok(()) };
        if node.processes("pacemakerd")?.is_empty() {
            println!("{}: starting the cluster that gave up", node.name());
            // It asks corosync to end before it does; one that was started since has not heard it.
            let ended =
                lab.wait_until(
                    Duration::from_secs(20),
                    "corosync has ended too",
                    || match node.processes("corosync")? {
                        pids if pids.is_empty() => Ok(()),
                        pids => Err(NotYet::because(format!("{pids:?}"))),
                    },
                );
            if ended.is_ok() {
                node.command("corosync").stdout()?;
            }
            let script = "setsid pacemakerd </dev/null >>/var/log/pacemaker/output.log 2>&1 &";
            node.command("sh").args(["-c", script]).stdout()?;
            since = Instant::now();
            return Err(missing);
        }
        if since.elapsed() > Duration::from_secs(90) {
            println!("{}: starting all anew: {missing:?}", node.name());
            for program in ALL {
                if !node.processes(program)?.is_empty() {
                    node.kill(program)?;
                }
            }
            since = Instant::now();
            return Err(missing);
        }
        let count = given_up()?;
        if count > helped {
            helped = count;
            println!(
                "{}: restarting corosync, pacemakerd waits for it",
                node.name()
            );
            node.kill("corosync")?;
            lab.wait_until(Duration::from_secs(60), "corosync has ended", || match node
                .processes("corosync")?
            {
                pids if pids.is_empty() => Ok(()),
                pids => Err(NotYet::because(format!("{pids:?}"))),
            })?;
            node.command("corosync").stdout()?;
            since = Instant::now();
        }
        Err(missing)
    })
}
