//! A lab: its machines, the switch between them, and what can go wrong with either.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ha_core::{Error, ErrorExt as _, ErrorKind, Result};

use crate::config::{self, SeedFile};
use crate::machine::Spec;
use crate::network;
use crate::node::{Node, missing};
use crate::options::{AMON, GATEWAY, GATEWAY_HOST, LabOptions, is_node, links_of};
use crate::registry::{self, Entry};
use crate::stopwatch::Stopwatch;
use crate::wait::{NotYet, wait_until};
use crate::{ROLE, cib, keeper, sphynx, ssh, systemd, tunnel};

const DISK_SIZE: &str = "1g";
/// How long one look at the cluster may take.
pub(crate) const LOOK: Duration = Duration::from_secs(60);

/// A running lab.
///
/// Dropping it ends every process in it and frees all that it held; so does the end of this
/// process, however it comes about.
#[derive(Debug)]
pub struct Lab {
    keeper: u32,
    /// The lab's folder, as this process sees it.
    base: PathBuf,
    /// The same folder, as the keeper sees it.
    inner_base: PathBuf,
    options: LabOptions,
    held: Mutex<Held>,
    /// What took so long, when its start did.
    slow_start: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Held {
    keeper: Option<(Child, ChildStdin)>,
    pub(crate) machines: HashMap<String, Child>,
}

impl Lab {
    /// Starts the machines, and the cluster on them, and waits until every node is Online.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] when not root; [`ErrorKind::NotFound`] when a program or the
    /// tree is missing; [`ErrorKind::Timeout`] with the end of the logs when a node does not come up.
    pub fn start(options: &LabOptions) -> Result<Self> {
        Self::start_telling(options, &|_| ())
    }

    /// Does the same, and tells what it does while it works, one short line for each step.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_telling(options: &LabOptions, tell: &dyn Fn(&str)) -> Result<Self> {
        require_root()?;
        options.check()?;
        let mut watch = Stopwatch::start();
        let executable = std::env::current_exe().context("find this program's executable")?;
        let inner_base = free_mount_point(&executable, options)?;
        let names: Vec<String> = options
            .machine_names()
            .into_iter()
            .map(|(name, _)| name)
            .collect();

        let mut keeper = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--"])
            .arg(&executable)
            .args([ROLE, "keeper"])
            .arg(&inner_base)
            .arg(&executable)
            .arg(DISK_SIZE)
            .args(&names)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Not the caller's: a lab that is kept would hold it open.
            .stderr(Stdio::piped())
            .spawn()
            .context("run unshare")?;
        let stdin = keeper.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .context("read the keeper's answer")?;
        }
        let (Ok(pid), Some(stdin)) = (line.trim().parse::<u32>(), stdin) else {
            let output = keeper.wait_with_output().context("wait for the keeper")?;
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the lab's namespaces could not be made: {}", said.trim()),
            )
            .with_hint("network, mount and PID namespaces, tmpfs and overlay mounts are needed"));
        };
        let mut lab = Self {
            keeper: pid,
            base: seen_from_here(pid, &inner_base),
            inner_base,
            options: options.clone(),
            held: Mutex::new(Held {
                keeper: Some((keeper, stdin)),
                machines: HashMap::new(),
            }),
            slow_start: None,
        };
        if options.systemd {
            systemd::Group::make(pid)?;
        }
        let made = "namespaces, networks and disks are made";
        watch.step(made);
        tell(made);
        lab.build(&mut watch, tell)?;
        lab.slow_start = watch.slow();
        if let Some(slow) = &lab.slow_start {
            tell(slow);
        }
        Ok(lab)
    }

    fn build(&self, watch: &mut Stopwatch, tell: &dyn Fn(&str)) -> Result<()> {
        self.switch(&network::bridges())?;
        let machines = self.options.machine_names();
        for (name, host) in &machines {
            let spec = self.spec(name, *host, &machines);
            let text = serde_json::to_vec(&spec).map_err(|e| Error::invalid(e.to_string()))?;
            fs::write(self.base.join(name).join("spec.json"), text)
                .context("describe the machine")?;
        }
        for (name, _) in &machines {
            self.launch(name)?;
        }
        for (name, _) in &machines {
            self.plug_in(name)?;
        }
        for (name, _) in &machines {
            self.wait_booted(name)?;
            let started = format!("{name} has started");
            watch.step(&started);
            tell(&started);
        }
        if self.options.start_cluster {
            self.wait_online_noting(self.options.limit, |missing| watch.step(missing))?;
            watch.step("the last look");
            let seconds = watch.total().as_secs_f64();
            tell(&format!("every node is Online after {seconds:.1} s"));
        }
        Ok(())
    }

    /// Says which step of the start took longest, when it took longer than 10 s.
    #[must_use]
    pub fn slow_start(&self) -> Option<&str> {
        self.slow_start.as_deref()
    }

    fn spec(&self, name: &str, host: u8, machines: &[(String, u8)]) -> Spec {
        let cluster = is_node(name);
        let links = links_of(name);
        let mut seed = vec![
            SeedFile::new("/etc/hostname", format!("{name}\n")),
            SeedFile::new(
                "/etc/hosts",
                config::hosts(machines.iter().map(|(n, h)| (n.as_str(), *h, links_of(n)))),
            ),
            SeedFile::new("/etc/resolv.conf", "# the lab has no name server\n"),
            SeedFile::new("/etc/machine-id", machine_id()),
        ];
        if cluster {
            let nodes: Vec<(&str, u8)> = machines
                .iter()
                .filter(|(n, _)| is_node(n))
                .map(|(n, h)| (n.as_str(), *h))
                .collect();
            seed.push(SeedFile::new(
                "/etc/corosync/corosync.conf",
                config::corosync_conf(self.options.transport, self.options.token, &nodes),
            ));
            seed.push(
                SeedFile::new("/var/lib/pacemaker/cib/cib.xml", cib::seed())
                    .mode(0o600)
                    .owner("hacluster:haclient"),
            );
            seed.extend(sphynx::files(self.options.tunnel, self.options.systemd));
            if self.options.systemd {
                seed.extend(systemd::files());
            }
            if self.options.tunnel {
                seed.extend(tunnel::files_of_node());
            }
            if self.options.ssh {
                seed.extend(ssh::files());
            }
        }
        let mut interfaces = String::new();
        if name == GATEWAY {
            interfaces += &network::beyond();
            if self.options.tunnel {
                interfaces += &tunnel::interfaces_of_host();
            }
        } else if name == AMON {
            seed.extend(tunnel::files_of_amon());
            interfaces += &tunnel::interfaces_of_amon();
        }
        Spec {
            name: name.to_owned(),
            host,
            links: links.iter().map(|l| l.name().to_owned()).collect(),
            gateway: (name != GATEWAY).then_some(GATEWAY_HOST),
            interfaces,
            forward: cluster && self.options.tunnel,
            tunnel: name == AMON,
            systemd: cluster && self.options.systemd,
            lower: self.options.tree_of(name).to_owned(),
            share: self.options.share.clone(),
            seed,
            cluster: cluster && self.options.start_cluster,
            ssh: cluster && self.options.ssh,
        }
    }

    /// Starts PID 1 of a machine.
    pub(crate) fn launch(&self, name: &str) -> Result<()> {
        let folder = self.base.join(name);
        // A number of an earlier life must not be taken for the new one.
        match fs::remove_file(folder.join("pid")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        let console = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("console.log"))
            .context("open the machine's console")?;
        let keeper = self.keeper.to_string();
        let mut command = Command::new("setsid");
        let mut unshare = vec![
            "unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork",
        ];
        if self.options.systemd && is_node(name) {
            let enter = systemd::Group::of(self.keeper)?.machine(name)?;
            command
                .args(["sh", "-c", r#"echo $$ >"$0" && exec "$@""#])
                .arg(enter);
            unshare.push("--cgroup");
        }
        let child = command
            .args(["nsenter", "-t", &keeper, "-m", "-p", "--"])
            .args(unshare)
            .args(["--kill-child", "--"])
            .arg(self.inner_base.join("exe"))
            .args([ROLE, "machine"])
            .arg(&self.inner_base)
            .arg(name)
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        self.held().machines.insert(name.to_owned(), child);
        Ok(())
    }

    pub(crate) fn plug_in(&self, name: &str) -> Result<()> {
        let pid = wait_until(
            Duration::from_secs(10),
            &format!("{name} has started"),
            || {
                let text = fs::read_to_string(self.base.join(name).join("pid"))?;
                text.parse::<u32>()
                    .map_err(|e| NotYet::because(e.to_string()))
            },
        )
        .map_err(|e| self.explain(&e, &[name]))?;
        let host = self.host(name)?;
        // The kernel takes its time to free the ends of an earlier life.
        let switch = format!("/proc/{}/net/dev", self.keeper);
        wait_until(
            Duration::from_secs(10),
            "its earlier ports are gone",
            || {
                let ports = fs::read_to_string(&switch)?;
                match links_of(name)
                    .iter()
                    .find(|l| ports.contains(&format!("{}:", l.port(host))))
                {
                    Some(link) => Err(NotYet::because(format!(
                        "{} is still there",
                        link.port(host)
                    ))),
                    None => Ok(()),
                }
            },
        )?;
        let cables = links_of(name)
            .iter()
            .map(|link| (*link, self.cable(name, *link)));
        self.switch(&network::plug(host, pid, cables))
    }

    pub(crate) fn wait_booted(&self, name: &str) -> Result<()> {
        let serves_ssh = self.options.ssh && is_node(name);
        wait_until(
            // Keys are made first, where SSH is served.
            Duration::from_secs(60),
            &format!("{name} has started"),
            || {
                let pid = self.node(name)?.pid()?;
                let ready = PathBuf::from(format!("/proc/{pid}/root/run/lab/ready"));
                if !ready.exists() {
                    return Err(NotYet::because("PID 1 is still at it"));
                }
                let sockets = fs::read_to_string(format!("/proc/{pid}/net/tcp"))?;
                if serves_ssh && !network::listens(&sockets, 22) {
                    return Err(NotYet::because("nothing listens on port 22"));
                }
                Ok(())
            },
        )
        .map_err(|e| self.explain(&e, &[name]))
    }

    /// Waits until every powered node says that every powered node is Online, with a DC.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`], with the end of the logs.
    pub fn wait_online(&self, limit: Duration) -> Result<()> {
        self.wait_online_noting(limit, |_| ())
    }

    /// The same, and notes at each look what is missing.
    fn wait_online_noting(&self, limit: Duration, mut note: impl FnMut(&str)) -> Result<()> {
        let nodes: Vec<Node<'_>> = self.nodes().into_iter().filter(Node::is_up).collect();
        let names: Vec<String> = nodes.iter().map(|n| n.name().to_owned()).collect();
        wait_until(
            limit,
            &format!("{} are Online", names.join(" and ")),
            || {
                let missing = nodes.iter().find_map(|node| missing(node, &names));
                missing.map_or(Ok(()), |missing| {
                    note(&missing);
                    Err(NotYet::because(missing))
                })
            },
        )
        .map_err(|e| self.explain(&e, &names.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// Returns the cluster nodes, powered or not.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node<'_>> {
        self.options
            .machine_names()
            .into_iter()
            .filter(|(name, _)| is_node(name))
            .map(|(name, _)| Node::new(self, name))
            .collect()
    }

    /// Returns a machine by its name: a cluster node, `gateway`, or `amon` where there is one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], with the names that exist.
    pub fn node(&self, name: &str) -> Result<Node<'_>> {
        self.host(name)?;
        Ok(Node::new(self, name.to_owned()))
    }

    /// Waits for a condition; as the function [`wait_until`](crate::wait_until), with the end of
    /// the nodes' logs in the error.
    ///
    /// # Errors
    /// As the function.
    pub fn wait_until<T>(
        &self,
        limit: Duration,
        what: &str,
        look: impl FnMut() -> Result<T, NotYet>,
    ) -> Result<T> {
        wait_until(limit, what, look)
    }

    /// Kills everything in the lab.
    pub(crate) fn end(&self) {
        // It may have ended already.
        let _ = kill(self.keeper, rustix::process::Signal::KILL);
    }

    /// Returns what the lab was started with.
    #[must_use]
    pub fn options(&self) -> &LabOptions {
        &self.options
    }

    /// Returns the end of the logs of every machine: what a person reads first after a failure.
    #[must_use]
    pub fn log_tails(&self) -> String {
        self.nodes().iter().map(|node| node.log_tail(12)).collect()
    }

    /// Tells whether a lab can be kept under this name, before it is made.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with what a name may hold.
    pub fn check_name(name: &str) -> Result<()> {
        registry::check_name(name)
    }

    /// The name of a lab that was given none.
    pub const DEFAULT_NAME: &str = registry::DEFAULT;

    /// Lets the lab outlive this process, and enters it under a name (one is picked when none is
    /// given), by which [`Lab::attach`] and the program `lab` find it. Returns the name.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] when a running lab has that name; an I/O error.
    pub fn keep(&self, name: Option<&str>) -> Result<String> {
        let entry = Entry::new(self.keeper, &self.inner_base, &self.options)?;
        let name = match name {
            Some(name) => name.to_owned(),
            None => registry::free_name()?,
        };
        registry::add(&name, &entry)?;
        let mut held = self.held();
        if let Some((_, mut stdin)) = held.keeper.take() {
            writeln!(stdin, "{}", keeper::KEEP).context("tell the keeper to stay")?;
        }
        held.machines.clear();
        Ok(name)
    }

    /// Finds a lab that another process started and [kept](Self::keep): by its name, or the only
    /// one that runs. Dropping the value leaves the lab as it is; [`Lab::down`] ends it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], or [`ErrorKind::Invalid`] when several run and no name is given.
    pub fn attach(name: Option<&str>) -> Result<(String, Self)> {
        require_root()?;
        let (name, entry) = registry::find(name)?;
        let lab = Self {
            keeper: entry.keeper,
            base: seen_from_here(entry.keeper, &entry.base),
            inner_base: entry.base,
            options: entry.options,
            held: Mutex::default(),
            slow_start: None,
        };
        Ok((name, lab))
    }

    /// Ends a lab that was [kept](Self::keep) under this name.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when its processes do not end.
    pub fn down(self, name: &str) -> Result<()> {
        kill(self.keeper, rustix::process::Signal::KILL)?;
        let keeper = PathBuf::from(format!("/proc/{}/ns/pid", self.keeper));
        wait_until(
            Duration::from_secs(10),
            "the lab's processes have ended",
            || {
                if keeper.exists() {
                    Err(NotYet::because("some still run"))
                } else {
                    Ok(())
                }
            },
        )?;
        self.forget_groups();
        registry::remove(name)
    }

    /// Removes what the lab had outside its own namespaces, after its end.
    fn forget_groups(&self) {
        if self.options.systemd
            && let Ok(group) = systemd::Group::of(self.keeper)
        {
            group.remove();
        }
    }

    /// Returns the names of the labs that were [kept](Self::keep) and run.
    ///
    /// # Errors
    /// An I/O error.
    pub fn names() -> Result<Vec<String>> {
        Ok(registry::list()?
            .into_iter()
            .map(|(name, _)| name)
            .collect())
    }

    /// Returns the machines: the cluster nodes and the others.
    #[must_use]
    pub fn machines(&self) -> Vec<Node<'_>> {
        let names = self.options.machine_names().into_iter();
        names.map(|(name, _)| Node::new(self, name)).collect()
    }

    /// The lab's own folder for a machine, as this process sees it.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    pub(crate) fn explain(&self, e: &Error, names: &[&str]) -> Error {
        let mut text = String::new();
        for name in names {
            if let Ok(node) = self.node(name) {
                text += &node.log_tail(12);
            }
        }
        Error::new(e.kind(), format!("{e:#}\n{text}"))
    }

    pub(crate) fn host(&self, name: &str) -> Result<u8> {
        let machines = self.options.machine_names();
        machines
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, host)| *host)
            .ok_or_else(|| {
                let names: Vec<&str> = machines.iter().map(|(n, _)| n.as_str()).collect();
                Error::new(
                    ErrorKind::NotFound,
                    format!("the lab has no machine '{name}'"),
                )
                .with_hint(format!("it has {}", names.join(", ")))
            })
    }

    /// Runs `ip -batch` in the switch's network namespace.
    pub(crate) fn switch(&self, batch: &str) -> Result<()> {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.keeper.to_string(), "-n", "--", "ip"]);
        ip_batch(command, batch)
    }

    pub(crate) fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let mut held = std::mem::take(&mut *self.held());
        // A lab that another process started, or that was kept, goes on.
        let Some((mut keeper, stdin)) = held.keeper.take() else {
            return;
        };
        drop(stdin);
        // `unshare` is what is waited for; the kernel ends it when the keeper has ended, and
        // ends the keeper when all that is in its namespace has.
        let _ = keeper.wait();
        for child in held.machines.values_mut() {
            let _ = child.wait();
        }
        self.forget_groups();
    }
}

/// Where the lab's folder is for a process outside.
fn seen_from_here(keeper: u32, base: &Path) -> PathBuf {
    PathBuf::from(format!("/proc/{keeper}/root{}", base.display()))
}

/// Feeds `ip -batch`.
pub(crate) fn ip_batch(mut ip: Command, batch: &str) -> Result<()> {
    let mut child = ip
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("run ip")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(batch.as_bytes()).context("write to ip")?;
    }
    let output = child.wait_with_output().context("wait for ip")?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(
        ErrorKind::Daemon,
        format!("ip refused: {}\n{batch}", errors.trim()),
    ))
}

/// Sends a signal to a process of the lab, by the number that the host knows.
pub(crate) fn kill(pid: u32, signal: rustix::process::Signal) -> Result<()> {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::invalid("not a process number"))?;
    rustix::process::kill_process(pid, signal)
        .map_err(std::io::Error::from)
        .context("send the signal")
}

/// Refuses to go on without root, and says what it would be for.
///
/// # Errors
/// [`ErrorKind::PermissionDenied`].
pub fn require_root() -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::PermissionDenied,
        "root is needed to make the lab's namespaces (network, mount, PID) and to mount the \
         machines' disks; nothing was changed",
    )
    .with_hint("run the same command as root (sudo); the tests that need no lab: --skip live::"))
}

fn machine_id() -> String {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
    uuid.replace('-', "")
}

/// Finds a folder that every Debian system has and that hides nothing we need when something is
/// mounted on it, in the lab's own mount namespace.
fn free_mount_point(executable: &Path, options: &LabOptions) -> Result<PathBuf> {
    let needed = || {
        [executable, &options.tree]
            .into_iter()
            .chain(options.node_trees.values().map(AsRef::as_ref))
            .chain(options.share.iter().map(AsRef::as_ref))
    };
    ["/mnt", "/media", "/srv", "/opt"]
        .into_iter()
        .map(PathBuf::from)
        .find(|at| at.is_dir() && !needed().any(|path| path.starts_with(at)))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "no free mount point among /mnt, /media, /srv, /opt",
            )
        })
}
