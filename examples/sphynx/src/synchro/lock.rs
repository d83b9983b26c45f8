//! One synchronisation at a time on a machine, as source or as target.

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::fs::FlockOperation;

use crate::say;

/// Held by who synchronises; the kernel frees it with the process.
const PATH: &str = "/run/lock/sphynx-synchro.lock";

/// The lock, held.
#[derive(Debug)]
pub(super) struct Lock {
    _file: fs::File,
}

impl Lock {
    /// Takes it, if nobody has it.
    ///
    /// # Errors
    /// [`ErrorKind::TryAgain`] when another has it, with its process.
    pub(super) fn take() -> Result<Self> {
        if let Some(folder) = Path::new(PATH).parent() {
            fs::create_dir_all(folder)?;
        }
        let open = fs::File::options()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(PATH);
        let mut file = open.context(PATH)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut who = String::new();
                drop(file.read_to_string(&mut who));
                let who = who.trim();
                return Err(Error::new(
                    ErrorKind::TryAgain,
                    say!(
                        "another synchronisation is under way on this machine (process {who})",
                        "une autre synchronisation est en cours sur cette machine (processus {who})"
                    ),
                )
                .with_hint(say!("wait for its end", "attendre sa fin")));
            }
            Err(e) => return Err(std::io::Error::from(e).into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}
