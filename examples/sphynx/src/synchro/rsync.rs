//! rsync over SSH, with its progress.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::process;
use crate::say;
use crate::ssh::{By, Failure, Peer};

/// After how many seconds without a byte a transfer is given up; ssh itself notices a link that is cut before.
const PATIENCE: &str = "30";

/// What is sent, and where to.
#[derive(Debug)]
pub(super) struct Transfer<'t> {
    pub(super) peer: &'t Peer,
    pub(super) by: By,
    /// The folder that holds what is sent.
    pub(super) from: &'t Path,
    /// Paths in it.
    pub(super) paths: Vec<&'t str>,
    /// The folder there.
    pub(super) to: &'t str,
    pub(super) bytes: u64,
    /// At most so many KiB a second.
    pub(super) rate: Option<u32>,
}

impl Transfer<'_> {
    /// Sends it. What was cut short goes on where it was the next time.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] when the disk there is full; [`ErrorKind::Disconnected`] when the link is cut; what rsync
    /// said otherwise.
    pub(super) fn run(&self, bar: bool) -> Result<()> {
        let mut list: Vec<u8> = Vec::new();
        for path in &self.paths {
            list.extend(path.trim_start_matches('/').as_bytes());
            list.push(0);
        }
        let mut command = Command::new("rsync");
        command.env("LC_ALL", "C");
        // Folders are made when all has arrived; what lies on the way is none of what is sent.
        // By checksum: two contents of the same size and time are two contents.
        command.args([
            "-aA",
            "--checksum",
            "--no-implied-dirs",
            "--files-from=-",
            "--from0",
        ]);
        // Written in place, in a folder that is nobody's yet: what has arrived stays, whichever end was cut off or killed.
        command.args(["--info=progress2", "--outbuf=L", "--inplace"]);
        // What is there already is taken from there, and of what is nearly so only the difference is sent.
        command.args(["--copy-dest=/", &format!("--timeout={PATIENCE}")]);
        command.args(self.rate.map(|rate| format!("--bwlimit={rate}")));
        command.args(["-e", &Peer::remote_shell(self.by)]);
        let host = self.peer.host();
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        command.arg("--").arg(format!("{}/", self.from.display()));
        command.arg(format!("root@{host}:{}/", self.to));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process::spawn(&mut command)?;
        let feeder = child.stdin.take().map(|mut stdin| {
            // What it does not read it tells of itself.
            std::thread::spawn(move || drop(stdin.write_all(&list)))
        });
        let stderr = child.stderr.take().map(process::listen);
        let progress = progress_bar(bar, self.bytes)?;
        let drawn = progress.clone();
        let stdout = child.stdout.take();
        let reader = std::thread::spawn(move || {
            let Some(mut stdout) = stdout else { return };
            let mut bytes = [0; 4096];
            let mut text = String::new();
            while let Ok(read @ 1..) = stdout.read(&mut bytes) {
                text.push_str(&String::from_utf8_lossy(&bytes[..read]));
                while let Some(end) = text.find(['\r', '\n']) {
                    let line: String = text.drain(..=end).collect();
                    if let Some(sent) = sent_bytes(&line) {
                        drawn.set_position(sent);
                    }
                }
            }
        });
        let status = process::wait(&mut child);
        drop(feeder.map(std::thread::JoinHandle::join));
        drop(reader.join());
        let said = process::joined(stderr);
        progress.finish_and_clear();
        let status = status?;
        if status.success() {
            return Ok(());
        }
        Err(failed(self.peer, status.code(), &said))
    }
}

fn progress_bar(wanted: bool, bytes: u64) -> Result<ProgressBar> {
    if !wanted || !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let template = "  {bar:30} {percent:>3} %  {bytes}/{total_bytes}  {bytes_per_sec}  {eta}";
    let style = ProgressStyle::with_template(template)
        .map_err(|e| Error::invalid(e.to_string()))
        .context("draw the progress")?;
    let bar = ProgressBar::new(bytes).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}

/// Reads a line of `--info=progress2`: `      1,234,567  45%    1.23MB/s    0:00:01`.
fn sent_bytes(line: &str) -> Option<u64> {
    let mut words = line.split_whitespace();
    let bytes = words.next()?.replace(',', "");
    words.next().filter(|word| word.ends_with('%'))?;
    bytes.parse().ok()
}

/// Says why rsync failed; the numbers are those of its manual.
fn failed(peer: &Peer, code: Option<i32>, said: &str) -> Error {
    let name = peer.name();
    let line = |part: &str| {
        said.lines()
            .find(|line| line.contains(part))
            .map(str::to_owned)
    };
    if let Some(line) = line("No space left on device").or_else(|| line("Disk quota exceeded")) {
        return Error::new(
            ErrorKind::Limit,
            say!("the disk of {name} is full: {line}", "le disque de {name} est plein : {line}"),
        )
        .with_hint(say!(
            "make room on {name} (df -h /var/lib/sphynx; df -i), and run this again: it goes on where it was; nothing was \
             replaced there",
            "faire de la place sur {name} (df -h /var/lib/sphynx ; df -i), puis relancer : la copie reprendra où elle en \
             était ; rien n'y a été remplacé"
        ));
    }
    if line("command not found")
        .or_else(|| line("rsync: not found"))
        .is_some()
    {
        return Error::new(
            ErrorKind::NotFound,
            say!(
                "rsync is not installed on {name}",
                "rsync n'est pas installé sur {name}"
            ),
        )
        .with_hint(say!(
            "on {name}: apt-get install rsync",
            "sur {name} : apt-get install rsync"
        ));
    }
    // 10, 12, 30, 35: the connection. 255: ssh itself.
    if matches!(code, Some(10 | 12 | 30 | 35 | 255)) {
        let error = match Failure::of(said) {
            Failure::Other(line) => Failure::Closed(line).error(peer),
            failure => failure.error(peer),
        };
        return error.with_hint(say!(
            "see to the link to {name}, and run this again: it goes on where it was; nothing was replaced there",
            "vérifier le lien vers {name}, puis relancer : la copie reprendra où elle en était ; rien n'y a été remplacé"
        ));
    }
    let first = said
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let code = code.unwrap_or(-1);
    Error::new(
        ErrorKind::Io,
        say!(
            "rsync to {name} failed (status {code}): {first}",
            "rsync vers {name} a échoué (code {code}) : {first}"
        ),
    )
    .with_hint(say!(
        "nothing was replaced there; mend that and run this again",
        "rien n'y a été remplacé ; corriger puis relancer"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read() {
        let line = "      1,234,567  45%    1.23MB/s    0:00:01 (xfr#1, to-chk=0/3)\r";
        assert_eq!(sent_bytes(line), Some(1_234_567));
        assert_eq!(sent_bytes("etc/ipsec.conf\n"), None);
        assert_eq!(sent_bytes(""), None);
    }

    #[test]
    fn what_rsync_says_is_told_with_the_next_step() {
        let peer = Peer::new("esclave", "10.0.254.12");
        let full = "rsync: [receiver] write failed on \"/x\": No space left on device (28)\nrsync error: error in file IO (code 11) at receiver.c(380)\n";
        let error = failed(&peer, Some(11), full);
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.hint().unwrap().contains("df -h"), "{error:?}");
        let cut =
            "Timeout, server 10.0.254.12 not responding.\nrsync: connection unexpectedly closed\n";
        let error = failed(&peer, Some(12), cut);
        assert_eq!(error.kind(), ErrorKind::Disconnected);
        assert!(error.hint().unwrap().contains("reprendra"), "{error:?}");
        let error = failed(&peer, Some(127), "sh: 1: rsync: not found\n");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
