//! The process that holds a lab: PID 1 of the lab's PID namespace, in the network namespace of the
//! switch and in the mount namespace where the machines' disks are.
//!
//! It lives as long as its standard input stays open in the process that started the lab. When that
//! one is gone, however it ended, the keeper ends, and the kernel kills all that is in the lab.

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use ha_core::{Error, ErrorExt as _, Result};
use rustix::mount::{MountFlags, mount, mount_bind};
use signal_hook::consts::SIGCHLD;

/// What the holder writes so that the lab outlives it.
pub(crate) const KEEP: &str = "keep";

/// `keeper BASE EXECUTABLE DISK_SIZE MACHINE...`
pub(crate) fn run(args: &[String]) -> Result<()> {
    let [base, executable, disk_size, machines @ ..] = args else {
        return Err(Error::invalid("keeper: too few arguments"));
    };
    rustix::process::setsid()
        .map_err(std::io::Error::from)
        .context("leave the session")?;
    reap_children()?;
    let base = Path::new(base);
    tmpfs(base, "mode=700,size=16m")?;
    let copy = base.join("exe");
    std::fs::write(&copy, "").context("make the place of the executable")?;
    mount_bind(executable, &copy)
        .map_err(std::io::Error::from)
        .with_context(|| format!("bind {executable}"))?;
    for machine in machines {
        let disk = base.join(machine);
        std::fs::create_dir(&disk).context("make the machine's folder")?;
        tmpfs(&disk, &format!("mode=755,size={disk_size}"))?;
        for folder in ["up", "work", "root"] {
            std::fs::create_dir(disk.join(folder)).context("make the machine's disk")?;
        }
    }
    // /proc is still the host's: the holder needs the number that the host knows.
    let pid = std::fs::read_link("/proc/self").context("read /proc/self")?;
    println!("{}", pid.display());
    std::io::stdout().flush().context("report to the holder")?;

    let mut lines = std::io::stdin().lock().lines();
    while let Some(Ok(line)) = lines.next() {
        if line == KEEP {
            loop {
                std::thread::park();
            }
        }
    }
    Ok(())
}

/// Mounts an empty memory file system.
pub(crate) fn tmpfs(at: &Path, options: &str) -> Result<()> {
    let options = std::ffi::CString::new(options).map_err(|e| Error::invalid(e.to_string()))?;
    mount(
        "ha-lab",
        at,
        "tmpfs",
        MountFlags::empty(),
        options.as_c_str(),
    )
    .map_err(std::io::Error::from)
    .with_context(|| format!("mount a tmpfs on {}", at.display()))
}

/// Collects orphans, as PID 1 must.
pub(crate) fn reap_children() -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGCHLD]).context("watch SIGCHLD")?;
    std::thread::Builder::new()
        .name("reaper".into())
        .spawn(move || {
            // First those that ended before the signal was watched.
            for _ in std::iter::once(SIGCHLD).chain(signals.forever()) {
                while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG)
                {
                }
            }
        })
        .context("start the reaper")?;
    Ok(())
}
