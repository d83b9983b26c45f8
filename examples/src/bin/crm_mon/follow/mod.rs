//! Following the cluster without a terminal: the status is printed again when the cluster changes,
//! and the external agent is run.

mod agent;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ha_core::live::pacemaker::cib::{Cib, ConnectOptions};
use ha_core::live::pacemaker::watch::{Update, Watch};
use ha_core::view::{FencingHistory, Parts};
use ha_core::{Error, ErrorKind};

use crate::arguments::{Follow, Format, Request};
use crate::failure::{self, Failure};
use crate::source::Source;
use crate::{cluster, program};
use agent::Notifier;

/// How long the daemons may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a file is written although nothing was heard: rules depend on the time.
const AGAIN: Duration = Duration::from_secs(60);
/// How often the fencer is asked for the agent: not all that it does changes the CIB.
const FENCING: Duration = Duration::from_secs(1);
/// Tells this program, started anew, that it is the daemon.
pub(super) const DAEMON: &str = "CRM_MON_DAEMON";

/// Follows the cluster, or starts a daemon that does.
///
/// # Errors
/// When the daemon cannot be started, or the first status cannot be written.
pub(crate) fn run(request: &Request, follow: &Follow) -> std::result::Result<u8, Failure> {
    if follow.daemonize && std::env::var_os(DAEMON).is_none() {
        return daemonize(request, follow);
    }
    if follow.daemonize {
        // Fails only for the leader of a group of processes, which this is not.
        let _ = rustix::process::setsid();
    }
    let mut output = Output::new(request, follow)?;
    let mut notifier = follow.agent.clone().map(Notifier::new);
    loop {
        let Err(end) = connection(&mut output, notifier.as_mut());
        match end {
            End::Output(error) => return Err(Failure::unwritable(request, &error)),
            End::Nobody => return Ok(0),
            End::Cluster(error) => {
                let said = output.fail(&Failure::of(&error, request.language()));
                said.map_err(|error| Failure::unwritable(request, &error))?;
            }
        }
        std::thread::park_timeout(follow.interval.max(Duration::from_millis(100)));
    }
}

/// Starts this program again, away from the terminal: before any thread, and any C library, runs.
fn daemonize(request: &Request, follow: &Follow) -> std::result::Result<u8, Failure> {
    // What cannot be written is better said now.
    drop(Output::new(request, follow)?);
    let failed = |what: &str, error: &std::io::Error| Failure {
        lines: vec![format!("{}: {what}: {error}", failure::name())],
        code: 1,
        meaning: "Error occurred",
        daemon: None,
        with_help: false,
    };
    let program = std::env::current_exe().map_err(|e| failed("Could not find this program", &e))?;
    let mut words = std::env::args_os();
    let mut command = Command::new(program);
    std::os::unix::process::CommandExt::arg0(&mut command, words.next().unwrap_or_default());
    command.args(words).env(DAEMON, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| failed("Could not start the daemon", &e))?;
    let written = std::fs::write(&follow.pid_file, format!("{:>10}\n", child.id()));
    if let Err(error) = written {
        let _ = child.kill();
        let _ = child.wait();
        let what = format!("Could not write the PID file {}", follow.pid_file);
        return Err(failed(&what, &error));
    }
    Ok(0)
}

/// Why a connection is given up.
enum End {
    Cluster(Error),
    Output(std::io::Error),
    /// Nobody reads any more.
    Nobody,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Cluster(error)
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::Nobody
        } else {
            Self::Output(error)
        }
    }
}

/// Follows the CIB over one watch, which connects again by itself when it had a connection.
fn connection(
    output: &mut Output<'_>,
    mut notifier: Option<&mut Notifier>,
) -> std::result::Result<Infallible, End> {
    let mut options = ConnectOptions::default();
    options.timeout = PATIENCE;
    let cib = Cib::connect(&options)?;
    let mut watch = Watch::open(&cib)?;
    let wants_fencing = notifier.as_ref().is_some_and(|n| n.wants_fencing());
    let fencing = || wants_fencing.then(|| cluster::fencing_within(PATIENCE));
    if let Some(notifier) = &mut notifier {
        notifier.start(watch.document(), fencing().as_ref());
    }
    output.print(&watch)?;
    let mut due = Instant::now() + AGAIN;
    loop {
        let wake = if wants_fencing {
            due.min(Instant::now() + FENCING)
        } else {
            due
        };
        let mut next = watch.next_before(wake)?;
        let mut has_changed = next.is_some();
        while let Some(update) = next {
            match (&update, &mut notifier) {
                (Update::Lost { cause }, _) => {
                    let error = Error::new(ErrorKind::Disconnected, cause.to_string());
                    output.fail(&Failure::of(&error, output.request.language()))?;
                    has_changed = false;
                }
                (Update::Changed { .. }, Some(notifier)) => notifier.tell(watch.document(), None),
                // What happened while nothing was heard is not known step by step.
                (_, Some(notifier)) => notifier.start(watch.document(), None),
                _ => {}
            }
            has_changed |= watch.is_connected();
            next = watch.try_next();
        }
        if let Some(notifier) = &mut notifier {
            if wants_fencing && watch.is_connected() {
                notifier.tell(watch.document(), fencing().as_ref());
            }
            notifier.reap();
        }
        let is_due = Instant::now() >= due && output.is_file();
        if watch.is_connected() && (has_changed || is_due) {
            output.print(&watch)?;
        }
        if Instant::now() >= due || has_changed {
            due = Instant::now() + AGAIN;
        }
    }
}

/// Where the status is printed.
struct Output<'a> {
    request: &'a Request,
    /// The file; without one, standard output.
    file: Option<File>,
    /// Nothing is printed: there is only an agent.
    is_silent: bool,
    /// What was said last, when that was a failure.
    failed: Option<String>,
    /// Something was printed before.
    has_printed: bool,
}

impl<'a> Output<'a> {
    fn new(request: &'a Request, follow: &Follow) -> std::result::Result<Self, Failure> {
        let path = request.output_to.as_deref().filter(|&path| path != "-");
        let file = path.map(|path| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false).open(path)
        });
        let file = file.transpose();
        let file = file.map_err(|error| Failure::unwritable(request, &error))?;
        Ok(Self {
            request,
            is_silent: follow.daemonize && file.is_none(),
            file,
            failed: None,
            has_printed: false,
        })
    }

    fn is_file(&self) -> bool {
        self.file.is_some()
    }

    fn print(&mut self, watch: &Watch) -> std::io::Result<()> {
        self.failed = None;
        if self.is_silent {
            return Ok(());
        }
        let fencing =
            program::wants_fencing(self.request).then(|| cluster::fencing_within(PATIENCE));
        let is_full = Parts::FENCING.difference(self.request.view.parts) == Parts::NONE;
        let fencing = if is_full {
            fencing
        } else {
            fencing.map(last_of_each)
        };
        let source = Source {
            document: watch.document().clone(),
            daemon: None,
            fencing,
        };
        let (_, text) = program::rendered(self.request, &source);
        self.write(&text)
    }

    /// Says that there is no status, once.
    fn fail(&mut self, failure: &Failure) -> std::io::Result<()> {
        let text = said_instead(failure, self.request);
        if self.is_silent || self.failed.as_ref() == Some(&text) {
            return Ok(());
        }
        let written = self.write(&text);
        self.failed = Some(text);
        written
    }

    /// Replaces the content of the file, which is at no moment empty.
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        let Some(file) = &self.file else {
            let mut out = std::io::stdout().lock();
            // One text after the other, with an empty line between them.
            let is_next = std::mem::replace(&mut self.has_printed, true);
            if is_next && self.request.format == Format::Text {
                out.write_all(b"\n")?;
            }
            out.write_all(text.as_bytes())?;
            return out.flush();
        };
        if !file.metadata()?.is_file() {
            let mut file = file;
            return file.write_all(text.as_bytes());
        }
        file.write_all_at(text.as_bytes(), 0)?;
        file.set_len(text.len() as u64)
    }
}

/// Returns what a file that should have the status has instead.
fn said_instead(failure: &Failure, request: &Request) -> String {
    match request.format {
        Format::Text | Format::Simple => failure.lines.join("\n") + "\n",
        _ => failure.document(request),
    }
}

/// Keeps of fencing actions that are alike the last one.
fn last_of_each(history: FencingHistory) -> FencingHistory {
    let FencingHistory::Events(mut events) = history else {
        return history;
    };
    let mut seen = HashSet::new();
    events.sort_by_key(|event| Reverse(event.completed));
    events.retain(|event| {
        let by = (event.delegate.clone(), event.origin.clone());
        let kind = (event.target.clone(), event.action.clone(), event.state, by);
        event.is_pending() || seen.insert(kind)
    });
    FencingHistory::Events(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() -> ha_core::Result<()> {
        let path = std::env::temp_dir().join(format!("crm_mon-follow-{}", std::process::id()));
        let path = path.to_string_lossy().into_owned();
        let words = ["--output-as=text".to_owned(), format!("--output-to={path}")];
        let action = crate::arguments::parse("crm_mon", &words)
            .map_err(|e| Error::invalid(String::from_utf8_lossy(&e).into_owned()))?;
        let crate::arguments::Action::Report(request) = action else {
            panic!("{action:?}")
        };
        let follow = request.follow.clone().expect("not one-shot");
        let mut output =
            Output::new(&request, &follow).map_err(|f| Error::invalid(f.lines[0].clone()))?;
        for text in ["a long text\n", "short\n", ""] {
            output.write(text)?;
            assert_eq!(std::fs::read_to_string(&path)?, text);
        }
        let failure = Failure::of(
            &Error::new(ErrorKind::Disconnected, "gone"),
            ha_core::language::Language::English,
        );
        output.fail(&failure)?;
        assert!(std::fs::read_to_string(&path)?.contains("gone"));
        Ok(std::fs::remove_file(&path)?)
    }
}
