//! What is said, and where.

use std::io::Write as _;

use ha_core::change::Plan;
use ha_core::{Error, ErrorKind, Result};

use crate::{language, say};

/// Writes text as it is; that nobody reads it any more is no error of ours.
pub(super) fn text(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Writes a line.
pub(super) fn line(line: &str) -> Result<()> {
    text(&format!("{line}\n"))
}

/// Says something beside the result.
pub(super) fn aside(text: &str) {
    // Nowhere to say that it cannot be said.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Tells what a change of the CIB changes, and what Pacemaker will do then.
pub(super) fn plan(plan: &Plan) -> Result<()> {
    text(&plan.text(language::current()))?;
    let actions = match plan.what_if() {
        Ok(actions) => actions,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => {
            aside(&say!(
                "what Pacemaker will do is not known: {e:#}",
                "ce que fera Pacemaker n'est pas connu : {e:#}"
            ));
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    if actions.is_empty() {
        return line(&say!(
            "Pacemaker: no resource is started, stopped or moved",
            "Pacemaker : aucune ressource n'est démarrée, arrêtée ou déplacée"
        ));
    }
    line(&say!("Pacemaker then does:", "Pacemaker fait alors :"))?;
    for action in &actions {
        let text = action.text(language::current());
        let mark = if action.interrupts() { "!" } else { " " };
        line(&format!("{mark} {text}"))?;
    }
    let interrupted = actions.iter().filter(|action| action.interrupts()).count();
    if interrupted > 0 {
        line(&say!(
            "interrupted (!): {interrupted}",
            "interruptions (!) : {interrupted}"
        ))?;
    }
    Ok(())
}

/// What this package says is in French already: its spaces before double signs are not to become two.
fn spaced(text: &str) -> String {
    text.replace("  ;", " ;").replace("  :", " :")
}

/// Says what failed and what to do next, and returns the exit status.
pub fn failure(program: &str, error: &Error) -> u8 {
    let language = language::current();
    let text = spaced(&error.text(language));
    aside(&say!("{program}: {text}", "{program} : {text}"));
    if let Some(hint) = error.hint_text(language).map(|hint| spaced(&hint)) {
        aside(&say!("  next step: {hint}", "  à faire : {hint}"));
    }
    error.exit_code()
}
