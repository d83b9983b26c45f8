//! What `hactl apply` adds of what the agents advise, and what it says while it waits.

use std::process::Stdio;
use std::time::Duration;

use ha_core::Result;
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, NotYet};

use crate::hactl::{HACTL, MOODY, cib, done, epoch, hold, install, let_go};

pub(crate) fn register(harness: &mut Harness) {
    let limit = Duration::from_secs(600);
    let lab = LabOptions::default;
    harness.test("advice::completed", own(lab(), completed).limit(limit));
    harness.test("advice::progress", own(lab(), progress).limit(limit));
}

const LIMIT: Duration = Duration::from_secs(120);

const BARE: &str = "[options]\nstonith-enabled = false\n\n[[primitive]]\nid = \"bare\"\n\
    agent = \"ocf:pacemaker:Dummy\"\n";

fn completed(lab: &Lab) -> Result<()> {
    install(lab)?;
    let node = lab.node("maitre")?;
    node.write("/run/bare.toml", BARE)?;
    // The agent's own time-outs are in the plan, and then in the cluster.
    let described = node
        .command("crm_resource")
        .args(["--show-metadata", "ocf:pacemaker:Dummy"]);
    let described = described.stdout()?;
    let advised = |line: &str| line.contains("name=\"start\"") && line.contains("\"20s\"");
    assert!(described.lines().any(advised), "{described}");
    let diff = done(&node, &["diff", "/run/bare.toml"])?;
    assert!(
        diff.contains("operation start") && diff.contains("20s"),
        "{diff}"
    );
    assert!(diff.contains("operation monitor 10s"), "{diff}");
    done(&node, &["apply", "/run/bare.toml", "--wait"])?;
    let query = |xpath: &str| {
        let tool = node.command("cibadmin").args(["--query", "--xpath", xpath]);
        tool.stdout()
    };
    let start = query("//primitive[@id='bare']/operations/op[@name='start']")?;
    assert!(start.contains("timeout=\"20s\""), "{start}");
    // A second time there is nothing to do.
    let before = epoch(&node)?;
    assert!(done(&node, &["apply", "/run/bare.toml"])?.starts_with("nothing to change"));
    // What somebody configured without time-outs, and is applied as it is there, stays without.
    let plain = "<primitive id='plain' class='ocf' provider='pacemaker' type='Dummy'/>";
    node.command("cibadmin")
        .args(["-C", "-o", "resources", "-X", plain])
        .stdout()?;
    let created = epoch(&node)?;
    assert!(created > before);
    node.write("/run/all.xml", cib(&node)?.to_xml())?;
    assert!(done(&node, &["apply", "/run/all.xml"])?.starts_with("nothing to change"));
    assert_eq!(epoch(&node)?, created);
    // The whole configuration as a file, which is taken back without a change, and with one.
    let export = done(&node, &["export"])?;
    node.write("/run/export.toml", &export)?;
    assert!(done(&node, &["apply", "/run/export.toml"])?.starts_with("nothing to change"));
    assert_eq!(epoch(&node)?, created);
    let other = export.replace("timeout = \"20s\"", "timeout = \"25s\"");
    node.write("/run/export.toml", other)?;
    let diff = done(&node, &["diff", "/run/export.toml"])?;
    assert!(
        diff.starts_with("~ primitive bare\n") && diff.contains("20s -> 25s"),
        "{diff}"
    );
    assert!(!diff.contains("plain"), "{diff}");
    // Without the advice.
    node.write("/run/other.toml", BARE.replace("bare", "other"))?;
    let diff = done(&node, &["diff", "/run/other.toml", "--as-is"])?;
    assert!(
        diff.contains("+ primitive other") && !diff.contains("operation"),
        "{diff}"
    );
    done(&node, &["apply", "/run/other.toml", "--as-is", "--wait"])?;
    assert!(!query("//primitive[@id='other']")?.contains("<op "));
    let verified = node.command("crm_verify").arg("--live-check").output()?;
    assert!(
        verified.status.success() && verified.stderr.is_empty(),
        "{}",
        verified.stderr
    );
    Ok(())
}

/// On a terminal, what is waited for is shown, and goes away; elsewhere nothing is (`done` looks).
fn progress(lab: &Lab) -> Result<()> {
    const SCREEN: &str = "/run/screen";
    install(lab)?;
    let node = lab.node("maitre")?;
    node.write("/run/moody.xml", MOODY)?;
    done(&node, &["apply", "/run/moody.xml", "--wait"])?;
    for (language, under_way, ended) in [
        ("en", "slow: stop under way on maitre", "done in"),
        ("fr", "slow : stop en cours sur maitre", "fait en"),
    ] {
        hold(lab, "stop")?;
        let command = format!("{HACTL} --lang {language} --timeout 180s --wait resource stop slow");
        // A terminal of its own.
        let on_terminal = node
            .command("script")
            .args(["-q", "-f", "-c", command.as_str(), SCREEN]);
        let mut stopping = on_terminal.spawn(Stdio::null(), Stdio::null(), Stdio::inherit())?;
        lab.wait_until(LIMIT, "what is waited for is shown", || {
            let shown = node.read(SCREEN).unwrap_or_default();
            if shown.contains(under_way) {
                Ok(())
            } else {
                Err(NotYet::because(shown))
            }
        })?;
        let_go(lab, "stop")?;
        assert!(stopping.wait()?.success());
        let shown = node.read(SCREEN)?;
        let (progress, rest) = shown.rsplit_once("\u{1b}[2K").unwrap();
        assert!(
            progress.contains('…') && !rest.contains('…') && rest.contains(ended),
            "{shown:?}"
        );
        node.command("rm").arg(SCREEN).stdout()?;
        done(&node, &["resource", "start", "slow", "--wait"])?;
    }
    Ok(())
}
