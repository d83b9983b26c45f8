//! The lab itself.

use std::time::{Duration, Instant};

use ha_core::{ErrorKind, Result};
use lab::harness::{Harness, own};
use lab::{Lab, LabOptions, Link, NotYet, agent};

pub(crate) fn register(harness: &mut Harness) {
    harness.agent("lab::echo", echo);
    harness.agent("lab::panic", panics);
    harness.shared("lab::agents_talk_and_report", agents_talk_and_report);
    harness.test(
        "lab::power_cut_and_return",
        own(LabOptions::default(), power_cut_and_return),
    );
    harness.test(
        "lab::a_cut_link_splits_the_cluster",
        own(LabOptions::default(), cut_and_heal),
    );
}

/// Says each word that it is told, in capitals, and returns how many there were.
fn echo(prefix: String) -> Result<usize> {
    let mut count = 0;
    while let Some(word) = agent::listen::<String>()? {
        agent::say(&format!("{prefix}{}", word.to_uppercase()))?;
        count += 1;
    }
    Ok(count)
}

fn panics(message: String) -> Result<()> {
    panic!("{message}");
}

fn agents_talk_and_report(lab: &Lab) -> Result<()> {
    let node = lab.node("esclave")?;
    assert_eq!(node.command("hostname").stdout()?.trim(), "esclave");
    let mut echo = node.start_agent("lab::echo", &"> ")?;
    for word in ["un", "deux"] {
        echo.tell(&word)?;
        assert_eq!(
            echo.heard::<String>()?,
            Some(format!("> {}", word.to_uppercase()))
        );
    }
    echo.hush();
    assert_eq!(echo.heard::<String>()?, None);
    assert_eq!(echo.result::<usize>()?, 2);

    let e = node.call::<()>("lab::panic", &"as asked").unwrap_err();
    assert!(e.to_string().contains("panicked: as asked"), "{e}");
    let e = node.call::<()>("lab::nothing", &()).unwrap_err();
    assert!(e.to_string().contains("no agent lab::nothing"), "{e}");
    Ok(())
}

/// What `crm_mon` says in the line that begins so, on a node.
pub(crate) fn crm_mon_line(lab: &Lab, node: &str, start: &str) -> Result<String> {
    let text = lab.node(node)?.command("crm_mon").arg("-1").stdout()?;
    let line = text
        .lines()
        .map(|l| l.trim_start_matches([' ', '*']))
        .find(|l| l.starts_with(start));
    Ok(line.unwrap_or_default().to_owned())
}

pub(crate) fn wait_line(lab: &Lab, node: &str, line: &str) -> Result<()> {
    lab.wait_until(
        Duration::from_secs(90),
        &format!("{node} says '{line}'"),
        || {
            let start = line.split(':').next().unwrap_or_default();
            let found = crm_mon_line(lab, node, start)?;
            if found == line {
                Ok(())
            } else {
                Err(NotYet::because(format!("it says '{found}'")))
            }
        },
    )
}

fn power_cut_and_return(lab: &Lab) -> Result<()> {
    let esclave = lab.node("esclave")?;
    esclave
        .command("sh")
        .args(["-c", "echo kept > /var/lib/kept; echo lost > /run/lost"])
        .stdout()?;
    let before = Instant::now();
    let at = lab.power_cut("esclave")?;
    assert!(at >= before);
    assert!(!esclave.is_up());
    assert_eq!(
        lab.power_cut("esclave").unwrap_err().kind(),
        ErrorKind::Invalid
    );
    wait_line(lab, "maitre", "OFFLINE: [ esclave ]")?;
    wait_line(lab, "maitre", "Online: [ maitre ]")?;
    assert_eq!(esclave.read("/var/lib/kept")?, "kept\n");

    lab.power_on("esclave")?;
    wait_line(lab, "maitre", "Online: [ esclave maitre ]")?;
    assert_eq!(esclave.read("/var/lib/kept")?, "kept\n");
    assert_eq!(
        esclave.read("/run/lost").unwrap_err().kind(),
        ErrorKind::NotFound
    );
    Ok(())
}

fn cut_and_heal(lab: &Lab) -> Result<()> {
    let carrier = |interface: &str| {
        let path = format!("/sys/class/net/{interface}/carrier");
        lab.node("esclave")?.command("cat").arg(path).stdout()
    };
    for (unplug, carried) in [(false, "1\n"), (true, "0\n")] {
        if unplug {
            lab.unplug("esclave", Link::Ha1)?;
        } else {
            lab.cut("esclave", Link::Ha1)?;
        }
        wait_line(lab, "maitre", "OFFLINE: [ esclave ]")?;
        wait_line(lab, "esclave", "OFFLINE: [ maitre ]")?;
        assert_eq!(carrier("eth2")?, carried);
        // The other networks go on.
        let ping = ["-c", "1", "-W", "2", "192.168.0.1"];
        lab.node("esclave")?.command("ping").args(ping).stdout()?;
        lab.heal("esclave", Link::Ha1)?;
        wait_line(lab, "esclave", "Online: [ esclave maitre ]")?;
        wait_line(lab, "maitre", "Online: [ esclave maitre ]")?;
        assert_eq!(carrier("eth2")?, "1\n");
    }
    Ok(())
}
