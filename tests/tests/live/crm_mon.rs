//! Our `crm_mon` beside the installed one, through the life of a Sphynx cluster.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ha_core::view;
use ha_core::{Error, ErrorExt as _, ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Node, NotYet};

use crate::daemons::add_switch;

/// Where our program is inside the nodes.
pub(crate) const OURS: &str = "/usr/local/sbin/ha-crm_mon";

/// What ours becomes to read the running cluster.
const WITH_LIBRARIES: &str = "crm_mon-live";

/// The options under which both programs are compared.
const MODES: [&[&str]; 9] = [
    &["-1"],
    &["-1", "-D"],
    &["-1", "-r", "-R", "-A", "-f", "-o", "-t", "-c", "-L"],
    &["-1", "-r", "-n", "-b"],
    &["-s"],
    &["--output-as=xml"],
    &["-X", "-n"],
    &["--output-as=html", "-1"],
    &[
        "-1",
        "--output-as=html",
        "-n",
        "-r",
        "-R",
        "-A",
        "-o",
        "-m2",
        "--include=options",
    ],
];

pub(crate) fn register(harness: &mut Harness) {
    harness.test(
        "crm_mon::same_bytes_through_a_cluster_life",
        own(LabOptions::default(), cluster_life).limit(Duration::from_secs(900)),
    );
    harness.test(
        "crm_mon::follows_in_the_background",
        own(LabOptions::default(), in_the_background).limit(Duration::from_secs(900)),
    );
    harness.test(
        "crm_mon::shows_what_was_fenced",
        own(LabOptions::default(), what_was_fenced).limit(Duration::from_secs(900)),
    );
}

/// The options under which both programs are compared when nodes were fenced.
const FENCING_MODES: [&[&str]; 12] = [
    &["-1"],
    &["-1", "-m0"],
    &["-1", "-m", "-R"],
    &["-1", "-m3", "-c", "--exclude=fencing-failed"],
    &["-1", "-m2", "--exclude=fencing-succeeded", "-R"],
    &["-1", "--include=none,default"],
    &["-1", "--include=all", "--node=esclave"],
    &["--output-as=xml"],
    &["--output-as=xml", "--exclude=fencing-pending"],
    &["-X", "-m1"],
    &["--output-as=html", "-1", "-m2", "-c"],
    &["--output-as=html", "-1", "-R"],
];

/// Fencing that fails, that works, and that is under way.
fn what_was_fenced(lab: &Lab) -> Result<()> {
    let program = build()?;
    let maitre = lab.node("maitre")?;
    install(&maitre, &program)?;
    add_switch(lab, "maitre,esclave,elsewhere,nowhere")?;
    same_in(lab, &maitre, "nothing fenced", &FENCING_MODES)?;
    let fence = |option: &str, target: &str| {
        let command = maitre.command("stonith_admin");
        command.args([option, target, "-t", "60"]).status()
    };
    assert!(!fence("--fence", "elsewhere")?.success());
    assert!(!fence("--reboot", "esclave")?.success());
    assert!(!fence("--fence", "unheard-of")?.success());
    same_in(lab, &maitre, "fencing failed", &FENCING_MODES)?;
    for node in lab.nodes() {
        node.write("/run/no-power", "")?;
    }
    assert!(fence("--fence", "elsewhere")?.success());
    assert!(fence("--reboot", "nowhere")?.success());
    assert!(fence("--unfence", "nowhere")?.success());
    for node in lab.nodes() {
        node.write("/run/fence-hangs", "")?;
    }
    let _under_way: Vec<_> = ["elsewhere", "nowhere"]
        .into_iter()
        .map(|target| {
            let command = maitre.command("stonith_admin");
            let command = command.args(["--fence", target, "-t", "600"]);
            command.spawn(Stdio::null(), Stdio::null(), Stdio::null())
        })
        .collect::<Result<_>>()?;
    let shown = ["elsewhere for", "nowhere for", "pending"];
    wait_for(lab, &maitre, "two actions are under way", &shown)?;
    same_in(lab, &maitre, "fencing under way", &FENCING_MODES)?;
    let json = maitre.command(OURS).arg("--output-as=json").stdout()?;
    let json: view::json::Output =
        serde_json::from_str(&json).map_err(|e| Error::invalid(e.to_string()))?;
    let events = json.fence_history.map(|history| history.events);
    let count = |status| {
        let all = events.iter().flatten();
        all.filter(|event| event.status == status).count()
    };
    use view::json::FenceStatus::{Failed, Pending, Success};
    assert_eq!((count(Pending), count(Success), count(Failed)), (2, 3, 3));
    Ok(())
}

/// What both programs are told to run: it notes what it is told, for whom.
const AGENT: &str = "#!/bin/sh
env | grep CRM_notify_ | grep -v recipient | sort | tr '\\n' '|' >> /run/told/$CRM_notify_recipient.$$
";

/// Both programs in the background: what they write, and what they tell their agents.
fn in_the_background(lab: &Lab) -> Result<()> {
    let program = build()?;
    let maitre = lab.node("maitre")?;
    install(&maitre, &program)?;
    add_switch(lab, "elsewhere")?;
    maitre.command("mkdir").arg("/run/told").stdout()?;
    maitre.write("/run/agent", AGENT)?;
    maitre
        .command("chmod")
        .args(["755", "/run/agent"])
        .stdout()?;
    let formats = ["text", "html", "xml", "json"];
    for (name, program) in [("theirs", "crm_mon"), ("ours", OURS)] {
        for format in formats {
            if (name, format) == ("theirs", "json") {
                continue;
            }
            let as_format = format!("--output-as={format}");
            let to = format!("--output-to=/run/{name}.{format}");
            let pid = format!("/run/{name}.{format}.pid");
            let words = ["-d", &as_format, &to, "-p", &pid];
            maitre.command(program).args(words).stdout()?;
        }
        let pid = format!("/run/{name}.pid");
        let to = format!("--output-to=/run/{name}.agent");
        let words = ["-d", "-E", "/run/agent", "-e", name, "-W", "-p", &pid];
        let words = words.into_iter().chain(["--output-as=text", &to]);
        maitre.command(program).args(words).stdout()?;
        // The process that stays writes it, and whoever started it has gone before.
        lab.wait_until(Duration::from_secs(90), "the pid is written", || {
            let number = maitre.read(&pid).unwrap_or_default();
            if number.len() == 11 && number.ends_with('\n') {
                let number = number.trim();
                assert!(maitre.has_folder(&format!("/proc/{number}")), "{number}");
                Ok(())
            } else {
                Err(NotYet::because(format!("{pid}: {number:?}")))
            }
        })?;
    }
    // Who has written follows the cluster.
    for name in [
        "theirs.agent",
        "ours.agent",
        "theirs.text",
        "ours.xml",
        "ours.json",
    ] {
        let path = format!("/run/{name}");
        lab.wait_until(
            Duration::from_secs(90),
            "the first status is written",
            || {
                let text = maitre.read(&path).unwrap_or_default();
                if text.is_empty() {
                    Err(NotYet::because(format!("{path} is empty")))
                } else {
                    Ok(())
                }
            },
        )?;
    }
    // An agent is told of nothing that was there before it.
    for name in ["theirs", "ours"] {
        wait_told(lab, &maitre, name, &|told| told.is_empty())?;
    }
    let dummy = "<primitive id='d1' class='ocf' provider='pacemaker' type='Dummy'><operations>\
        <op id='d1-m' name='monitor' interval='3600s'/></operations></primitive>";
    let cibadmin = |words: [&str; 5]| maitre.command("cibadmin").args(words).stdout();
    cibadmin(["-C", "-o", "resources", "-X", dummy])?;
    let is_monitored = |told: &[String]| {
        let started =
            "CRM_notify_rc=0|CRM_notify_rsc=d1|CRM_notify_status=0|CRM_notify_target_rc=0";
        let done = |task: &str| format!("{started}|CRM_notify_task={task}|");
        let has = |task: &str| told.iter().any(|line| line.contains(&done(task)));
        has("start") && has("monitor")
    };
    for name in ["theirs", "ours"] {
        wait_told(lab, &maitre, name, &is_monitored)?;
    }
    let fence = || {
        let command = maitre.command("stonith_admin");
        command.args(["--fence", "elsewhere", "-t", "60"]).status()
    };
    assert!(!fence()?.success());
    for node in lab.nodes() {
        node.write("/run/no-power", "")?;
    }
    assert!(fence()?.success());
    let fenced = |told: &[String]| {
        let of = |end: &str| told.iter().any(|line| line.contains(end));
        of("maitre: OK") && of("maitre: Error")
    };
    for name in ["theirs", "ours"] {
        wait_told(lab, &maitre, name, &fenced)?;
    }
    lab.wait_until(Duration::from_secs(90), "both were told the same", || {
        let (theirs, ours) = (told(&maitre, "theirs")?, told(&maitre, "ours")?);
        if theirs == ours {
            Ok(())
        } else {
            Err(NotYet::because(format!("{theirs:#?}\n{ours:#?}")))
        }
    })?;
    // Something that makes both write.
    cibadmin(["-D", "-o", "resources", "-X", "<primitive id='d1'/>"])?;
    for format in &formats[..3] {
        lab.wait_until(Duration::from_secs(90), "both wrote the same", || {
            let text = |name: &str| -> Result<String> {
                let text = maitre.read(&format!("/run/{name}.{format}"))?;
                // The command line, and what the other one says of a page only the first time.
                let keep = |line: &&str| !line.contains("request=") && !line.contains("refresh");
                let text: Vec<&str> = text.lines().filter(keep).collect();
                Ok(masked(&text.join("\n")))
            };
            let (theirs, ours) = (text("theirs")?, text("ours")?);
            if theirs == ours && !ours.contains("d1") {
                Ok(())
            } else {
                Err(NotYet::because(format!("{format}:\n{theirs}\n{ours}")))
            }
        })?;
    }
    let json = maitre.read("/run/ours.json")?;
    let json: view::json::Output =
        serde_json::from_str(&json).map_err(|e| Error::invalid(e.to_string()))?;
    assert_eq!(json.nodes.map(|nodes| nodes.len()), Some(2));
    Ok(())
}

/// Returns what an agent was told, but for what ours does not know.
fn told(node: &Node<'_>, name: &str) -> Result<Vec<String>> {
    let script = format!("for f in /run/told/{name}.*; do [ -e $f ] && cat $f && echo; done; true");
    let text = node.command("sh").args(["-c", &script]).stdout()?;
    let of_line = |line: &str| match line.split_once(" (ref=") {
        // The name of a resource in what is told of fencing is that of what was told before.
        Some((front, rest)) => {
            let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
            let kept = rest
                .split('|')
                .filter(|part| !part.starts_with("CRM_notify_rsc"));
            format!("{front}{}", kept.collect::<Vec<_>>().join("|"))
        }
        None => line.to_owned(),
    };
    let mut told: Vec<String> = text.lines().map(of_line).collect();
    told.sort();
    Ok(told)
}

fn wait_told(
    lab: &Lab,
    node: &Node<'_>,
    name: &str,
    enough: &dyn Fn(&[String]) -> bool,
) -> Result<()> {
    lab.wait_until(Duration::from_secs(90), "the agent is told", || {
        let told = told(node, name)?;
        if enough(&told) {
            Ok(())
        } else {
            Err(NotYet::because(format!("{name}: {told:#?}")))
        }
    })
}

fn cluster_life(lab: &Lab) -> Result<()> {
    let program = build()?;
    for node in lab.nodes() {
        install(&node, &program)?;
    }
    let maitre = lab.node("maitre")?;
    same(lab, &maitre, "fresh")?;

    lab.load_sphynx()?;
    same(lab, &maitre, "running")?;
    same(lab, &lab.node("esclave")?, "running, seen from esclave")?;
    let question = "VIP_externe started on maitre and gw_pingd_clone started on maitre,esclave";
    asked(&maitre, &["--is", question], 0, "yes\n")?;
    // The labs' nodes cannot fence each other.
    asked(
        &maitre,
        &["--findings"],
        0,
        "warning: fencing is off with 2 nodes",
    )?;
    asked(
        &maitre,
        &["--why", "ipsec_rsc"],
        0,
        "ipsec_rsc is active on maitre.\n",
    )?;

    maitre
        .command("crm_resource")
        .args(["--fail", "-r", "arv_rsc", "-N", "maitre"])
        .stdout()?;
    wait_for(
        lab,
        &maitre,
        "arv_rsc is seen to have failed",
        &["Failed Resource Actions", "arv_rsc"],
    )?;
    same(lab, &maitre, "with a failed resource")?;
    maitre
        .command("crm_resource")
        .args(["--cleanup", "-r", "arv_rsc"])
        .stdout()?;
    lab.wait_sphynx("maitre", Duration::from_secs(90))?;

    maitre
        .command("crm_standby")
        .args(["-N", "esclave", "-v", "on"])
        .stdout()?;
    wait_for(
        lab,
        &maitre,
        "esclave is in standby",
        &["Node esclave: standby\n"],
    )?;
    same(lab, &maitre, "with a node in standby")?;
    maitre
        .command("crm_standby")
        .args(["-N", "esclave", "-D"])
        .stdout()?;
    lab.wait_sphynx("maitre", Duration::from_secs(90))?;

    let esclave = lab.node("esclave")?;
    lab.power_cut("maitre")?;
    lab.wait_sphynx("esclave", Duration::from_secs(90))?;
    same(lab, &esclave, "after the power cut")?;
    asked(
        &esclave,
        &["--is", "node maitre online"],
        1,
        "no: node maitre is not online\n",
    )?;
    asked(
        &esclave,
        &["--findings", "--lang=fr"],
        0,
        "attention : le nœud maitre est hors ligne",
    )?;

    lab.power_on("maitre")?;
    lab.wait_online(Duration::from_secs(90))?;
    install(&lab.node("maitre")?, &program)?;
    wait_for(
        lab,
        &esclave,
        "the clone runs on both",
        &["Started: [ esclave maitre ]"],
    )?;
    same(lab, &esclave, "after its return")?;
    same(
        lab,
        &lab.node("maitre")?,
        "after its return, seen from maitre",
    )
}

/// Asks our program, and looks at its exit status and at how the answer starts, or how a line of it does.
fn asked(node: &Node<'_>, arguments: &[&str], code: i32, start: &str) -> Result<()> {
    let output = node
        .command(OURS)
        .args(arguments.iter().copied())
        .output()?;
    let starts = output.stdout.starts_with(start) || output.stdout.contains(&format!("\n{start}"));
    if output.status.code() == Some(code) && starts {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{arguments:?}: {output:?}, where {code} and {start:?} were expected"
    )))
}

/// Builds our program and says where it is: it belongs to another package than this test.
pub(crate) fn build() -> Result<PathBuf> {
    Ok(build_beside("beside")?.join("crm_mon"))
}

/// Builds the programs of the package that has a test of this name, and returns the folder that they are in.
pub(crate) fn build_beside(test: &str) -> Result<PathBuf> {
    let executable = std::env::current_exe()?;
    let folder = executable
        .parent()
        .and_then(Path::parent)
        .ok_or_else(|| Error::new(ErrorKind::NotFound, "the test is in no build folder"))?;
    let mut cargo = Command::new(env!("CARGO"));
    // A test of that package needs its programs; with the features of the whole workspace they are
    // those that `cargo test --workspace` has built already.
    cargo.args(["test", "--quiet", "--no-run", "--workspace"]);
    cargo.args(["--test", test]);
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    if !cargo.status()?.success() {
        let what = format!("cargo cannot build the programs beside the test {test}");
        return Err(Error::new(ErrorKind::Io, what));
    }
    Ok(folder.to_owned())
}

/// Installs our program, and what it becomes beside it.
pub(crate) fn install(node: &Node<'_>, program: &Path) -> Result<()> {
    let other = Path::new(OURS).with_file_name(WITH_LIBRARIES);
    let other = other.to_string_lossy();
    node.write(OURS, std::fs::read(program)?)?;
    node.write(
        &other,
        std::fs::read(program.with_file_name(WITH_LIBRARIES))?,
    )?;
    let chmod = node.command("chmod").args(["755", OURS, &other]).stdout();
    chmod.map(drop)
}

fn wait_for(lab: &Lab, node: &Node<'_>, what: &str, texts: &[&str]) -> Result<()> {
    lab.wait_until(Duration::from_secs(90), what, || {
        let text = node.command("crm_mon").arg("-1").stdout()?;
        if texts.iter().all(|wanted| text.contains(wanted)) {
            Ok(())
        } else {
            Err(NotYet::because(text))
        }
    })
}

/// Compares both programs in each mode. The cluster may move between two looks: the installed one
/// is asked before and after ours, and a difference counts only when both answers are the same.
fn same(lab: &Lab, node: &Node<'_>, state: &str) -> Result<()> {
    same_in(lab, node, state, &MODES)
}

pub(crate) fn same_in(lab: &Lab, node: &Node<'_>, state: &str, modes: &[&[&str]]) -> Result<()> {
    for mode in modes {
        let look = |program: &str| -> Result<String> {
            let output = node.command(program).args(mode.iter().copied()).output()?;
            Ok(format!("{}\n{}", output.status, masked(&output.stdout)))
        };
        let what = format!("crm_mon {} agrees: {state}", mode.join(" "));
        lab.wait_until(Duration::from_secs(90), &what, || {
            let before = look("crm_mon")?;
            let ours = look(OURS)?;
            let after = look("crm_mon")?;
            if before != after {
                Err(NotYet::because("the cluster keeps changing"))
            } else if ours != after {
                Err(NotYet::because(format!(
                    "crm_mon says\n{after}\nours says\n{ours}"
                )))
            } else {
                Ok(())
            }
        })
        .with_context(|| state.to_owned())?;
    }
    Ok(())
}

/// Hides the moments at which the answers were given.
fn masked(text: &str) -> String {
    let hide = |line: &str| {
        for start in [
            "  * Last updated: ",
            "    <last_update time=\"",
            "<span class=\"bold\">Last updated: </span>",
        ] {
            if line.starts_with(start) {
                return start.to_owned();
            }
        }
        // The format of this time is compared, the time is not.
        for mark in [" (last updated ", " last_updated=\""] {
            if let Some((front, time)) = line.split_once(mark) {
                let zeros = time.replace(|c: char| c.is_ascii_digit(), "0");
                return format!("{front}{mark}{zeros}");
            }
        }
        // Both repeat the name that they were called by.
        line.replace(OURS, "crm_mon")
    };
    text.lines().map(hide).collect::<Vec<_>>().join("\n")
}
