//! PID 1 of a machine: makes its root, its interfaces, its first files, starts its daemons, and
//! collects orphans until it is killed, which is a power cut.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use serde::{Deserialize, Serialize};

use crate::config::SeedFile;
use crate::keeper::{reap_children, tmpfs};
use crate::network::{self, Link};
use crate::ssh;
use crate::systemd;
use crate::tunnel;
use crate::wait::{NotYet, wait_until};

/// What PID 1 of a machine reads when it starts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) name: String,
    /// The last byte of its addresses.
    pub(crate) host: u8,
    pub(crate) links: Vec<String>,
    /// The last byte of the gateway's addresses, for a machine that has a default route.
    pub(crate) gateway: Option<u8>,
    /// What else it does with its interfaces, for `ip -batch`.
    pub(crate) interfaces: String,
    /// Whether packets that are not for it go on.
    pub(crate) forward: bool,
    /// The root that the disk is laid over.
    pub(crate) lower: PathBuf,
    /// Host folders seen at the same place, read-only.
    pub(crate) share: Vec<PathBuf>,
    pub(crate) seed: Vec<SeedFile>,
    /// Whether Corosync and Pacemaker run here.
    pub(crate) cluster: bool,
    /// Whether OpenSSH's server runs here.
    pub(crate) ssh: bool,
    /// Whether PID 1 becomes systemd, which starts the others.
    pub(crate) systemd: bool,
    /// Whether strongSwan runs here without the cluster.
    pub(crate) tunnel: bool,
}

impl Spec {
    pub(crate) fn links(&self) -> Result<Vec<Link>> {
        self.links.iter().map(|l| l.parse()).collect()
    }
}

/// The variables of the daemons and of every command run in a machine.
pub(crate) const ENVIRONMENT: [(&str, &str); 4] = [
    (
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
    ("LC_ALL", "C"),
    ("HOME", "/root"),
    ("TERM", "dumb"),
];

/// Where a machine sees the executable that started the lab.
pub(crate) const EXECUTABLE: &str = "/run/lab/exe";

/// `machine BASE NAME`
pub(crate) fn run(args: &[String]) -> Result<()> {
    let [base, name] = args else {
        return Err(Error::invalid("machine: two arguments wanted"));
    };
    let disk = Path::new(base).join(name);
    let spec: Spec = serde_json::from_slice(&fs::read(disk.join("spec.json"))?)
        .map_err(|e| Error::invalid(e.to_string()).context("read the machine's description"))?;
    // /proc is still the host's. Written whole, then named: a reader never sees half a number.
    let pid = fs::read_link("/proc/self")?;
    fs::write(disk.join("pid.new"), pid.to_string_lossy().as_bytes())?;
    fs::rename(disk.join("pid.new"), disk.join("pid"))?;

    let links = spec.links()?;
    let root = disk.join("root");
    make_root(&disk, &root, &spec, &Path::new(base).join("exe"))?;
    wait_until(
        Duration::from_secs(10),
        "the interfaces are plugged in",
        || {
            let devices = fs::read_to_string("/proc/self/net/dev")?;
            match links
                .iter()
                .find(|l| !devices.contains(&format!("{}:", l.interface())))
            {
                Some(link) => Err(NotYet::because(format!("{} is missing", link.interface()))),
                None => Ok(()),
            }
        },
    )?;
    crate::lab::ip_batch(
        Command::new("ip"),
        &(network::configure(spec.host, &links, spec.gateway) + &spec.interfaces),
    )?;
    if spec.forward {
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("forward packets")?;
    }
    // Not before the last child of our own has been waited for.
    if !spec.systemd {
        reap_children()?;
    }
    rustix::system::sethostname(spec.name.as_bytes()).map_err(std::io::Error::from)?;
    enter_root(&root)?;
    if !Path::new("/.lab-seeded").exists() {
        seed(&spec)?;
        fs::write("/.lab-seeded", "")?;
    }
    make_run()?;
    fs::write("/run/lab/ready", "")?;
    if spec.systemd {
        return Err(systemd::become_init());
    }
    if spec.ssh {
        let (program, args) = ssh::SERVER;
        start_daemon(program, &args, ssh::LOG)?;
    }
    if spec.tunnel {
        let (program, args) = tunnel::DAEMON;
        start_daemon(program, &args, "/var/log/ipsec.log")?;
    }
    if spec.cluster {
        start_cluster()?;
    }
    loop {
        std::thread::park();
    }
}

fn make_root(disk: &Path, root: &Path, spec: &Spec, executable: &Path) -> Result<()> {
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        spec.lower.display(),
        disk.join("up").display(),
        disk.join("work").display()
    );
    let options = std::ffi::CString::new(options).map_err(|e| Error::invalid(e.to_string()))?;
    rustix::mount::mount(
        "ha-lab",
        root,
        "overlay",
        MountFlags::empty(),
        options.as_c_str(),
    )
    .map_err(std::io::Error::from)
    .with_context(|| format!("lay the disk over {}", spec.lower.display()))?;
    for folder in ["proc", "sys", "dev", "run", ".old"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let special = |kind: &str, at: &str, flags| {
        rustix::mount::mount(kind, root.join(at), kind, flags, None)
            .map_err(std::io::Error::from)
            .with_context(|| format!("mount {kind} on /{at}"))
    };
    special("proc", "proc", MountFlags::empty())?;
    special("sysfs", "sys", MountFlags::RDONLY)?;
    tmpfs(&root.join("dev"), "mode=755,size=8m")?;
    for device in [
        "null", "zero", "full", "random", "urandom", "tty", "net/tun",
    ] {
        let host = Path::new("/dev").join(device);
        if host.exists() {
            bind(&host, &root.join("dev").join(device), false)?;
        }
    }
    for folder in ["pts", "shm"] {
        fs::create_dir_all(root.join("dev").join(folder))?;
    }
    rustix::mount::mount(
        "devpts",
        root.join("dev/pts"),
        "devpts",
        MountFlags::empty(),
        c"newinstance,ptmxmode=0666,mode=620",
    )
    .map_err(std::io::Error::from)
    .context("mount devpts")?;
    symlink("pts/ptmx", root.join("dev/ptmx"))?;
    symlink("/proc/self/fd", root.join("dev/fd"))?;
    for (n, name) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
        symlink(format!("/proc/self/fd/{n}"), root.join("dev").join(name))?;
    }
    tmpfs(&root.join("dev/shm"), "mode=1777,size=256m")?;
    tmpfs(&root.join("run"), "mode=755,size=64m")?;
    fs::create_dir_all(root.join("run/lab"))?;
    bind(
        executable,
        &root.join(EXECUTABLE.trim_start_matches('/')),
        false,
    )?;
    if spec.systemd {
        systemd::make_root(root)?;
    }
    for folder in &spec.share {
        let inside = root.join(folder.strip_prefix("/").unwrap_or(folder));
        bind(folder, &inside, true)?;
    }
    Ok(())
}

/// Makes a file or folder of the host visible in the machine.
fn bind(host: &Path, inside: &Path, read_only: bool) -> Result<()> {
    if host.is_dir() {
        fs::create_dir_all(inside)?;
    } else {
        if let Some(parent) = inside.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(inside, "")?;
    }
    let bound = rustix::mount::mount_bind(host, inside).and_then(|()| {
        if read_only {
            let flags = MountFlags::BIND | MountFlags::RDONLY;
            rustix::mount::mount_remount(inside, flags, c"")?;
        }
        Ok(())
    });
    bound
        .map_err(std::io::Error::from)
        .with_context(|| format!("bind {}", host.display()))
}

fn enter_root(root: &Path) -> Result<()> {
    let enter = || -> std::io::Result<()> {
        // Whatever the keeper's namespace gives: nothing of this one may travel back.
        rustix::mount::mount_change(
            "/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )?;
        std::env::set_current_dir(root)?;
        rustix::process::pivot_root(".", ".old")?;
        std::env::set_current_dir("/")?;
        rustix::mount::unmount("/.old", UnmountFlags::DETACH)?;
        fs::remove_dir("/.old")
    };
    enter().context("enter the machine's root")
}

/// Writes the first files and forgets what the host's own daemons may have left.
fn seed(spec: &Spec) -> Result<()> {
    let owners = Owners::read()?;
    if spec.cluster {
        for folder in [
            "/var/lib/corosync",
            "/var/lib/pacemaker/cib",
            "/var/lib/pacemaker/pengine",
            "/var/log/corosync",
            "/var/log/pacemaker",
        ] {
            let Ok(entries) = fs::read_dir(folder) else {
                continue;
            };
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    fs::remove_dir_all(&path)?;
                } else {
                    fs::remove_file(&path)?;
                }
            }
        }
        for folder in ["/var/lib/corosync", "/var/log/corosync"] {
            fs::create_dir_all(folder)?;
        }
        owners.folder("/var/log/pacemaker", "hacluster:haclient", 0o770)?;
    }
    if spec.ssh {
        ssh::prepare()?;
    }
    if spec.systemd {
        systemd::prepare(spec.cluster, spec.ssh)?;
    }
    for file in &spec.seed {
        let path = Path::new(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // The host's may be a link to somewhere else.
        match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        fs::write(path, &file.text).with_context(|| format!("write {}", file.path))?;
        fs::set_permissions(path, fs::Permissions::from_mode(file.mode))?;
        let (user, group) = owners.find(&file.owner)?;
        chown(path, Some(user), Some(group))?;
    }
    Ok(())
}

/// Makes what the distribution's start scripts make under `/run`.
fn make_run() -> Result<()> {
    let owners = Owners::read()?;
    for folder in [
        "/run/lock",
        "/run/corosync",
        "/run/resource-agents",
        "/run/sshd",
    ] {
        owners.folder(folder, "root:root", 0o755)?;
    }
    if owners.find("hacluster:haclient").is_ok() {
        for folder in ["/run/crm", "/run/pacemaker"] {
            owners.folder(folder, "hacluster:haclient", 0o750)?;
        }
    }
    Ok(())
}

/// Starts Corosync, then Pacemaker when Corosync's services answer.
fn start_cluster() -> Result<()> {
    start_daemon("corosync", &["-f"], "/var/log/corosync/output.log")?;
    wait_until(
        Duration::from_secs(20),
        "corosync serves its clients",
        || {
            let sockets = fs::read_to_string("/proc/net/unix")?;
            match ["cmap", "cfg", "cpg", "quorum"]
                .iter()
                .find(|s| !sockets.contains(&format!("@{s}")))
            {
                Some(service) => Err(NotYet::because(format!(
                    "no socket of its service {service}"
                ))),
                None => Ok(()),
            }
        },
    )?;
    start_daemon("pacemakerd", &[], "/var/log/pacemaker/output.log")
}

fn start_daemon(program: &str, args: &[&str], output: &str) -> Result<()> {
    let log = fs::File::options().create(true).append(true).open(output)?;
    Command::new(program)
        .args(args)
        .env_clear()
        .envs(ENVIRONMENT)
        .env("PCMK_logfacility", "none")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .current_dir("/")
        .spawn()
        .with_context(|| format!("start {program}"))?;
    Ok(())
}

/// The machine's own users and groups; the C library's tables would be the host's.
struct Owners {
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

impl Owners {
    fn read() -> Result<Self> {
        let table = |path: &str| -> Result<HashMap<String, u32>> {
            let text = fs::read_to_string(path).with_context(|| format!("read {path}"))?;
            Ok(text
                .lines()
                .filter_map(|line| {
                    let mut fields = line.split(':');
                    let name = fields.next()?;
                    Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
                })
                .collect())
        };
        Ok(Self {
            users: table("/etc/passwd")?,
            groups: table("/etc/group")?,
        })
    }

    fn find(&self, owner: &str) -> Result<(u32, u32)> {
        let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
        match (self.users.get(user), self.groups.get(group)) {
            (Some(user), Some(group)) => Ok((*user, *group)),
            _ => Err(
                Error::new(ErrorKind::NotFound, format!("no user and group {owner}"))
                    .with_hint("install the packages corosync and pacemaker in the machine's root"),
            ),
        }
    }

    fn folder(&self, path: &str, owner: &str, mode: u32) -> Result<()> {
        fs::create_dir_all(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        let (user, group) = self.find(owner)?;
        chown(path, Some(user), Some(group)).with_context(|| format!("own {path}"))
    }
}
