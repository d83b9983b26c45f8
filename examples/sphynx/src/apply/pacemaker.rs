//! Pacemaker's part: one change, told before it is made.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use ha_core::change::validate::Severity;
use ha_core::config::{Config, Resource};
use ha_core::live::cluster::{Cluster, ConnectOptions, Unfinished};
use ha_core::name::Id;
use ha_core::xml::Element;
use ha_core::{Error, ErrorKind, Result};

use super::{Request, report};
use crate::{eole, language, say};

/// How often a daemon that was just started is asked whether it answers.
const PAUSE: Duration = Duration::from_millis(200);

/// Connects to the cluster; nothing when Pacemaker does not run here. One that was just started is waited for.
pub(super) fn connect(request: &Request, started: bool) -> Result<Option<Cluster>> {
    let mut options = ConnectOptions::default();
    options.timeout = request.timeout;
    let deadline = Instant::now() + request.timeout;
    loop {
        let tried = Cluster::connect(&options);
        return match tried {
            Ok(cluster) if started => {
                let left = deadline.saturating_duration_since(Instant::now());
                // Without a Designated Controller, nobody would act on what is changed.
                cluster.wait_for(left, |status| status.dc.is_some())?;
                Ok(Some(following(&cluster)))
            }
            Ok(cluster) => Ok(Some(following(&cluster))),
            Err(e)
                if e.kind() == ErrorKind::Disconnected && started && Instant::now() < deadline =>
            {
                pause();
                continue;
            }
            Err(e) if e.kind() == ErrorKind::Disconnected && !started => Ok(None),
            Err(e) => Err(e),
        };
    }
}

/// A daemon that starts tells nobody when it answers: it is asked again and again.
#[allow(
    clippy::disallowed_methods,
    reason = "it is a pause between questions, with a deadline"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}

/// Shows, on a terminal, what is waited for.
fn following(cluster: &Cluster) -> Cluster {
    if !std::io::stderr().is_terminal() {
        return cluster.clone();
    }
    let language = language::current();
    let bar = indicatif::ProgressBar::new_spinner();
    cluster.telling(move |unfinished| {
        let list: Vec<String> = unfinished.iter().map(|it| it.text(language)).collect();
        bar.set_message(list.join("; "));
        bar.tick();
        if unfinished.is_empty() {
            bar.finish_and_clear();
        }
    })
}

/// Brings the configuration to what is wanted, and returns whether it has resources that are not ours.
pub(super) fn apply(cluster: &Cluster, config: &Config, request: &Request) -> Result<bool> {
    let operation = cluster.apply_completed(config)?;
    let plan = operation.plan()?;
    let ours: Vec<&str> = config
        .resources
        .iter()
        .flat_map(Resource::ids)
        .map(Id::as_str)
        .collect();
    let resources = plan
        .after()
        .root()
        .child("configuration")
        .and_then(|it| it.child("resources"));
    let is_other = |element: Element<'_>| {
        element
            .attribute("id")
            .is_some_and(|id| !ours.contains(&id))
    };
    let others = resources
        .into_iter()
        .flat_map(Element::children)
        .any(is_other);
    if resources.is_some_and(|all| is_held_stopped(all, &ours)) {
        let group = eole::GROUP;
        report::aside(&say!(
            "{group} is held stopped (target-role), by somebody or by a switching off that was cut short\n    to start it: hactl resource start {group}",
            "{group} est maintenu arrêté (target-role), par quelqu'un ou par une désactivation interrompue\n    pour le démarrer : hactl resource start {group}"
        ));
    }
    if plan.is_empty() {
        report::line(&say!(
            "Pacemaker: nothing to change",
            "Pacemaker : rien à changer"
        ))?;
    } else {
        let faults = cluster.validate(&plan);
        for fault in faults
            .iter()
            .filter(|fault| fault.severity != Severity::Notice)
        {
            let language = language::current();
            let (severity, text, fix) = (
                fault.severity.text(language),
                fault.text(language),
                fault.fix(language),
            );
            report::aside(&format!("{severity} : {}: {text}\n    {fix}", fault.place));
        }
        if faults.iter().any(|fault| fault.severity == Severity::Error) {
            let message = say!(
                "Pacemaker could not run what is configured",
                "Pacemaker ne pourrait faire tourner ce qui est configuré"
            );
            let hint = say!(
                "mend what is said above",
                "corriger ce qui est dit ci-dessus"
            );
            return Err(Error::new(ErrorKind::Schema, message).with_hint(hint));
        }
        report::plan(&plan)?;
        if request.dry_run {
            return Ok(others);
        }
        if !request.wait {
            operation.send()?;
            report::line(&say!(
                "Pacemaker: done, in one change",
                "Pacemaker : fait, en une seule modification"
            ))?;
        }
    }
    if request.wait && !request.dry_run {
        let done = operation.wait(request.timeout)?;
        let seconds = done.elapsed.as_secs_f64();
        report::line(&say!(
            "Pacemaker: done in {seconds:.1} s",
            "Pacemaker : fait en {seconds:.1} s"
        ))?;
    }
    Ok(others)
}

/// Tells whether the group, if it is to be there, is not to run.
fn is_held_stopped(resources: Element<'_>, ours: &[&str]) -> bool {
    let is_it = |e: &Element<'_>| e.attribute("id") == Some(eole::GROUP);
    let group = resources.children().find(is_it);
    let metas = group
        .into_iter()
        .flat_map(Element::children)
        .filter(|e| e.name() == "meta_attributes")
        .flat_map(Element::children);
    ours.contains(&eole::GROUP)
        && metas
            .filter(|e| e.attribute("name") == Some("target-role"))
            .any(|e| e.attribute("value") == Some("Stopped"))
}

/// Stops what is to be removed, in its order, and waits: what is removed while it runs is stopped in any order, and the
/// source address cannot be taken back any more once its address is gone.
pub(super) fn stop_group(cluster: &Cluster, request: &Request) -> Result<()> {
    let cib = cluster.cib().query()?;
    let is_it = |e: Element<'_>| e.name() == "group" && e.attribute("id") == Some(eole::GROUP);
    if request.dry_run || !cib.root().descendants().any(is_it) {
        return Ok(());
    }
    let group = eole::GROUP;
    report::line(&say!(
        "{group}: stopped first, in its order",
        "{group} : arrêté d'abord, dans son ordre"
    ))?;
    cluster
        .resource(group)
        .stop()
        .wait(request.timeout)
        .map(drop)
}

/// Waits until nothing is under way.
pub(super) fn wait_until_idle(cluster: &Cluster, request: &Request) -> Result<()> {
    cluster.settle(request.timeout).map(drop).map_err(|e| {
        let list: Vec<String> = Unfinished::of(&e)
            .iter()
            .map(|it| it.text(language::current()))
            .collect();
        let hint = list.join("; ");
        if hint.is_empty() {
            e
        } else {
            e.with_hint(hint)
        }
    })
}
