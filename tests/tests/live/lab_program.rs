//! The program `lab`, as a person uses it, and what is left when it is killed.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::harness::{Harness, plain};
use lab::{NotYet, wait_until};

pub(crate) fn register(harness: &mut Harness) {
    harness.test("lab::program_end_to_end", plain(end_to_end).labs(2));
    harness.test(
        "lab::killed_holder_leaves_nothing",
        plain(killed_holder_leaves_nothing).labs(1),
    );
    harness.test("lab::plain_user_is_told", plain(plain_user_is_told));
}

/// Runs the program for one lab of this test, whose name ends with the test program's number.
struct Program {
    name: String,
}

impl Program {
    fn new(name: &str) -> Self {
        Self {
            name: format!("{name}-{}", std::process::id()),
        }
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        run(&[&["--name", &self.name], args].concat())
    }

    /// Its standard output, when it succeeds.
    fn stdout(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args)?;
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let message = format!("lab {args:?}: {}: {}", output.status, text(&output.stderr));
        Err(Error::new(ErrorKind::Daemon, message))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Down already when the test went well.
        let _ = self.run(&["down"]);
    }
}

fn run(args: &[&str]) -> Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .context("run the program lab")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn end_to_end() -> Result<()> {
    let (one, two) = (Program::new("one"), Program::new("two"));
    let up = one.run(&["up", "--sphynx"])?;
    let said = text(&up.stderr);
    assert!(
        up.status.success() && said.contains("every node is Online after "),
        "{said}"
    );
    assert!(
        said.contains("the Sphynx resources run on maitre"),
        "{said}"
    );
    // The same name again is refused, and harms nothing.
    let again = one.run(&["up"])?;
    assert_eq!(again.status.code(), Some(65), "{}", text(&again.stderr));
    two.stdout(&["up", "--transport", "knet"])?;

    // Two labs do not see each other, and a command without a name must say which.
    let unnamed = run(&["exec", "maitre", "true"])?;
    assert_eq!(unnamed.status.code(), Some(65));
    assert!(
        text(&unnamed.stderr).contains(&two.name),
        "{}",
        text(&unnamed.stderr)
    );
    assert!(
        one.stdout(&["exec", "maitre", "crm_mon", "-1"])?
            .contains("arv_rsc")
    );
    assert!(
        !two.stdout(&["exec", "maitre", "crm_mon", "-1"])?
            .contains("arv_rsc")
    );

    // The command's own output and status come through.
    let exec = one.run(&[
        "exec",
        "esclave",
        "--",
        "sh",
        "-c",
        "hostname; echo bad >&2; exit 7",
    ])?;
    assert_eq!(exec.status.code(), Some(7));
    assert_eq!(
        (text(&exec.stdout), text(&exec.stderr)),
        ("esclave\n".into(), "bad\n".into())
    );
    assert_eq!(
        one.run(&["exec", "nobody", "true"])?.status.code(),
        Some(105)
    );

    let wait = |what: &str, wanted: &str| {
        wait_until(Duration::from_secs(90), what, || {
            let status = one.stdout(&["status"])?;
            if status.contains(wanted) {
                Ok(())
            } else {
                Err(NotYet::because(status))
            }
        })
    };
    wait(
        "status shows both nodes",
        "maitre    on; sees maitre, esclave Online",
    )?;
    one.stdout(&["cut", "esclave", "ha1"])?;
    wait(
        "the cut is seen",
        "esclave   on; sees esclave Online; cut off from ha1",
    )?;
    let again = one.run(&["cut", "esclave", "ha1"])?;
    assert!(again.status.success());
    assert_eq!(
        text(&again.stderr),
        "esclave is cut off from ha1 already; nothing was changed\n"
    );
    one.stdout(&["heal", "esclave", "ha1"])?;
    let again = one.run(&["heal", "esclave", "ha1"])?;
    assert!(again.status.success());
    assert_eq!(
        text(&again.stderr),
        "esclave is not cut off from ha1; nothing was changed\n"
    );
    wait(
        "the link is back",
        "esclave   on; sees maitre, esclave Online",
    )?;
    one.stdout(&["stop", "esclave", "corosync"])?;
    wait("maitre is alone", "maitre    on; sees maitre Online")?;
    wait("status tells what is stopped", "; stopped: corosync\n")?;
    one.stdout(&["cont", "esclave", "corosync"])?;
    wait("both are back", "maitre    on; sees maitre, esclave Online")?;
    one.stdout(&["kill", "esclave", "attrd"])?;
    assert_eq!(
        one.run(&["kill", "esclave", "nothing"])?.status.code(),
        Some(105)
    );
    let logs = one.stdout(&["logs", "esclave", "-n", "5"])?;
    assert!(logs.contains("--- esclave: pacemaker.log\n"), "{logs}");
    one.stdout(&["power-cut", "maitre"])?;
    wait("maitre is off", "maitre    off")?;
    assert_eq!(one.run(&["power-cut", "maitre"])?.status.code(), Some(65));
    // A node that starts alone is not waited for.
    one.stdout(&["cut", "maitre", "ha1"])?;
    let on = one.run(&["power-on", "maitre"])?;
    assert!(on.status.success(), "{}", text(&on.stderr));
    assert!(text(&on.stderr).starts_with("maitre is on; "));
    one.stdout(&["heal", "maitre", "ha1"])?;
    wait(
        "maitre is back",
        "maitre    on; sees maitre, esclave Online",
    )?;

    one.stdout(&["down"])?;
    assert_eq!(one.run(&["status"])?.status.code(), Some(105));
    // The other one goes on.
    assert_eq!(two.stdout(&["exec", "esclave", "hostname"])?, "esclave\n");
    two.stdout(&["down"])?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    assert!(!mounts.contains("ha-lab"), "{mounts}");
    Ok(())
}

/// Fields 4 and 22 of `/proc/PID/stat`; none when there is no such process.
fn parent_and_start(pid: u32) -> Option<(u32, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Some((fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
}

/// The start time of every process below this one, by number.
fn descendants(of: u32) -> Result<HashMap<u32, String>> {
    let mut parents = HashMap::new();
    let mut started = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?
            .file_name()
            .to_str()
            .and_then(|n| n.parse::<u32>().ok())
        else {
            continue;
        };
        let Some((parent, start)) = parent_and_start(pid) else {
            continue;
        };
        parents.insert(pid, parent);
        started.insert(pid, start);
    }
    started.retain(|pid, _| {
        let mut at = *pid;
        while let Some(parent) = parents.get(&at) {
            if *parent == of {
                return true;
            }
            at = *parent;
        }
        false
    });
    Ok(started)
}

fn killed_holder_leaves_nothing() -> Result<()> {
    let name = format!("killed-{}", std::process::id());
    let mut holder = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["--name", &name, "up"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(holder.stderr.take().unwrap()).lines();
    while !lines
        .next()
        .expect("esclave starts")?
        .contains("esclave has started")
    {}
    // Its daemons too: the kill comes in the middle of the start.
    let mut seen = HashMap::new();
    wait_until(Duration::from_secs(90), "the daemons run", || {
        seen = descendants(holder.id())?;
        let programs = seen
            .keys()
            .filter_map(|pid| fs::read_link(format!("/proc/{pid}/exe")).ok());
        let daemons = programs.filter(|exe| exe.ends_with("corosync")).count();
        if daemons == 2 {
            Ok(())
        } else {
            Err(NotYet::because(format!("{daemons} corosync")))
        }
    })?;
    assert!(seen.len() > 8, "{seen:?}");
    holder.kill()?;
    holder.wait()?;
    wait_until(
        Duration::from_secs(90),
        "all that it started has ended",
        || {
            let left: Vec<u32> = seen
                .iter()
                .filter(|(pid, started)| {
                    parent_and_start(**pid).is_some_and(|(_, start)| start == **started)
                })
                .map(|(pid, _)| *pid)
                .collect();
            if left.is_empty() {
                Ok(())
            } else {
                Err(NotYet::because(format!("{left:?}")))
            }
        },
    )?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    assert!(!mounts.contains("ha-lab"), "{mounts}");
    let status = run(&["status", "--name", &name])?;
    assert_eq!(status.status.code(), Some(105), "{}", text(&status.stdout));
    Ok(())
}

fn plain_user_is_told() -> Result<()> {
    // A copy that anybody may run: the build folder may be private.
    let folder = tempfile::tempdir()?;
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), open)?;
    let tests = std::env::current_exe()?;
    for (program, args, code) in [
        (env!("CARGO_BIN_EXE_lab").as_ref(), &["up"][..], 4),
        (tests.as_path(), &["lab::agents"][..], 101),
    ] {
        let copy = folder.path().join("program");
        // By another process: what another thread starts at this moment would have the file open for
        // writing, and it could not be run.
        let copied = Command::new("cp").arg(program).arg(&copy).status()?;
        assert!(copied.success());
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&copy)
            .args(args)
            .current_dir("/")
            .output()?;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(
            said.contains("root is needed to make the lab's namespaces"),
            "{said}"
        );
        fs::remove_file(&copy)?;
    }
    Ok(())
}
