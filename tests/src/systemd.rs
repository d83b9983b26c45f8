//! Nodes whose PID 1 is systemd, with resources of the class `systemd`.
//!
//! systemd wants a control group of its own, which only the machine that runs the lab can give: one group
//! for each node, in the tree of control groups version 2. They go with the lab; what a killed lab
//! leaves, empty groups, the next one removes.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive, mount_remount};

use crate::config::SeedFile;
use crate::wait::{NotYet, wait_until};

const PROGRAM: &str = "/lib/systemd/systemd";

/// Where a node's units are that are not a package's.
const UNITS: &str = "/etc/systemd/system";

/// What is of no use in namespaces, or would reach what is not the node's own: the clock, devices, and the
/// kernel's modules and settings.
const MASKED: [&str; 27] = [
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "e2scrub_reap.service",
    "getty-static.service",
    "getty.target",
    "kmod-static-nodes.service",
    "proc-sys-fs-binfmt_misc.automount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-binfmt.service",
    "systemd-firstboot.service",
    "systemd-initctl.socket",
    "systemd-journald-audit.socket",
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-modules-load.service",
    "systemd-networkd.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-pcrphase.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-sysctl.service",
    "systemd-timesyncd.service",
    "systemd-udevd.service",
    "systemd-udevd-kernel.socket",
];

/// The name of a lab's group begins so; the number of its keeper follows.
const PREFIX: &str = "ha-lab.";

/// The control group of a lab, with one for each machine in it.
#[derive(Debug)]
pub(crate) struct Group(PathBuf);

impl Group {
    /// Makes the group of a lab.
    pub(crate) fn make(keeper: u32) -> Result<Self> {
        let tree = tree()?;
        sweep(&tree);
        let path = tree.join(format!("{PREFIX}{keeper}"));
        fs::create_dir(&path).map_err(|e| {
            unsupported(&format!(
                "no control group can be made in {}: {e}",
                tree.display()
            ))
        })?;
        Ok(Self(path))
    }

    /// The group of a lab that runs.
    pub(crate) fn of(keeper: u32) -> Result<Self> {
        Ok(Self(tree()?.join(format!("{PREFIX}{keeper}"))))
    }

    /// Makes the group of a machine; returns the file that takes its processes.
    pub(crate) fn machine(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        // One of an earlier life has groups in it that systemd has made.
        remove(&path);
        fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(path.join("cgroup.procs"))
    }

    /// Removes it, once its processes have ended.
    pub(crate) fn remove(&self) {
        // What stays is empty, and harms nobody.
        let _ = wait_until(Duration::from_secs(5), "the lab's groups are gone", || {
            remove(&self.0);
            if self.0.exists() {
                Err(NotYet::because("processes are still in it"))
            } else {
                Ok(())
            }
        });
    }
}

/// Removes a group with all those in it, as far as they are empty.
fn remove(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    // It fails for those that are not.
    let _ = fs::remove_dir(group);
}

/// Removes what labs left that were killed.
fn sweep(tree: &Path) {
    for entry in fs::read_dir(tree).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let keeper = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if keeper.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

/// Where this machine has its tree of control groups version 2.
fn tree() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("read the mounts")?;
    let found = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let path = fields.next()?;
        (fields.next()? == "cgroup2").then(|| PathBuf::from(path))
    });
    found.ok_or_else(|| unsupported("control groups version 2 are not mounted"))
}

fn unsupported(why: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("no nodes with systemd here: {why}"),
    )
    .with_hint("they need a control group each; nodes without systemd need none")
}

/// What a node has on its disk for it.
pub(crate) fn files() -> Vec<SeedFile> {
    let drop_in = "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\n";
    vec![
        SeedFile::new("/etc/fstab", ""),
        SeedFile::new(&format!("{UNITS}/ssh.service.d/lab.conf"), drop_in),
    ]
}

/// The unit of a service of the group that is one of ours.
pub(crate) fn unit(name: &str, protocol: &str, port: u16) -> SeedFile {
    let unit = match name {
        "ipsec" => IPSEC_UNIT,
        other => other,
    };
    let text = format!(
        "[Unit]\nDescription=small service in the place of {name}\n\
         [Service]\nExecStart=/usr/local/sbin/sphynx-service serve {name} {protocol} {port}\n"
    );
    SeedFile::new(&format!("{UNITS}/{unit}.service"), text)
}

/// The unit of strongSwan.
pub(crate) const IPSEC_UNIT: &str = "strongswan-starter";

/// Switches off what this machine has switched on, and on what the node is for.
pub(crate) fn prepare(cluster: bool, ssh: bool) -> Result<()> {
    let units = Path::new(UNITS);
    for entry in fs::read_dir(units).with_context(|| format!("read {UNITS}"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|e| e == "wants" || e == "requires")
        {
            fs::remove_dir_all(&path)?;
        }
    }
    let link = |target: &str, name: &str| -> Result<()> {
        let path = units.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        symlink(target, &path).with_context(|| format!("link {}", path.display()))
    };
    for name in MASKED {
        link("/dev/null", name)?;
    }
    link("/lib/systemd/system/multi-user.target", "default.target")?;
    let wanted = [(cluster, "corosync"), (cluster, "pacemaker"), (ssh, "ssh")];
    fs::create_dir_all(units.join("multi-user.target.wants"))?;
    for (_, name) in wanted.iter().filter(|(wanted, _)| *wanted) {
        let target = format!("/lib/systemd/system/{name}.service");
        link(&target, &format!("multi-user.target.wants/{name}.service"))?;
    }
    Ok(())
}

/// Mounts what systemd wants in a machine's root that is not entered yet.
pub(crate) fn make_root(root: &Path) -> Result<()> {
    let io = |done: rustix::io::Result<()>, what: &str| {
        done.map_err(std::io::Error::from)
            .with_context(|| format!("mount {what}"))
    };
    let groups = root.join("sys/fs/cgroup");
    io(
        mount("cgroup2", &groups, "cgroup2", MountFlags::empty(), None),
        "the control groups",
    )?;
    fs::write(root.join("dev/console"), "")?;
    io(
        mount_bind("/dev/null", root.join("dev/console")),
        "the console",
    )?;
    // The kernel's settings are this machine's own, but for those of the network.
    let (settings, network) = (root.join("proc/sys"), root.join("proc/sys/net"));
    io(mount_bind(&network, &network), "the network's settings")?;
    io(mount_bind_recursive(&settings, &settings), "the settings")?;
    let read_only = MountFlags::BIND | MountFlags::RDONLY;
    io(mount_remount(&settings, read_only, c""), "the settings")
}

/// Becomes systemd; returns only when that fails.
pub(crate) fn become_init() -> Error {
    let mut systemd = Command::new(PROGRAM);
    systemd.arg("--log-level=info").env_clear();
    systemd.envs([
        ("container", "lxc"),
        (
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ),
    ]);
    Error::from(systemd.exec()).context(format!("become {PROGRAM}"))
}
