//! A command line that makes no sense, and the help in French.

use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, CommandFactory};
use ha_core::language::Language;
use serde_json::json;

use crate::arguments::Arguments;
use crate::french;

/// The exit status that Pacemaker's tools have for a command line that makes no sense (`crm_error --exit`).
const USAGE: u8 = 64;

/// Reads the command line.
///
/// # Errors
/// How the program ends, when it has said what there is to say: help, or what makes no sense.
pub(crate) fn read() -> Result<ArgMatches, ExitCode> {
    let raw: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .take_while(|word| word != "--")
        .collect();
    let language = language(&raw);
    let command = Arguments::command();
    let command = match language {
        Language::French => french::help(command),
        _ => command,
    };
    let e = match command.try_get_matches() {
        Ok(matches) => return Ok(matches),
        Err(e) => e,
    };
    let is_json = raw.iter().any(|word| word == "--json");
    if !e.use_stderr() {
        // Nowhere to say that it cannot be said.
        let _ = e.print();
        return Err(ExitCode::SUCCESS);
    }
    let without_command = matches!(
        e.kind(),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand
    );
    let said = if is_json {
        let (error, hint) = match language {
            Language::French => french::usage(&e),
            _ if without_command => ("a command is missing".to_owned(), None),
            _ => english(&e),
        };
        let hint = hint.unwrap_or_else(|| "hactl --help".to_owned());
        let value = json!({
            "error": error, "kind": "Usage", "hint": hint, "unfinished": [], "exit_code": USAGE,
        });
        format!("{value}\n")
    } else if language == Language::French && !without_command {
        let (error, hint) = french::usage(&e);
        let hint = hint.map_or_else(String::new, |hint| format!("  {hint}\n"));
        format!("hactl: {error}\n{hint}\nPour en savoir plus : --help.\n")
    } else {
        e.render().to_string()
    };
    let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), said.as_bytes());
    Err(ExitCode::from(USAGE))
}

/// The language that is asked for, as far as the words tell before they are understood.
fn language(raw: &[String]) -> Language {
    let next = raw.iter().skip(1).map(String::as_str);
    let asked = raw.iter().zip(next.chain([""])).find_map(|(word, next)| {
        let value = word.strip_prefix("--lang=");
        value.or((word == "--lang").then_some(next))
    });
    match asked {
        Some(asked) => asked.parse().unwrap_or_else(|_| of_environment()),
        None => of_environment(),
    }
}

pub(crate) fn of_environment() -> Language {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = of("LC_ALL")
        .or_else(|| of("LC_MESSAGES"))
        .or_else(|| of("LANG"));
    Language::of_locale(&locale.unwrap_or_default())
}

/// What clap says, on one line, and what may have been meant.
fn english(e: &clap::Error) -> (String, Option<String>) {
    let text = e.render().to_string();
    let lines = text.lines().map(str::trim);
    let told = lines.take_while(|line| !line.is_empty());
    let told: Vec<&str> = told.collect();
    let text = told.join(" ");
    let text = text.trim_start_matches("error: ").to_owned();
    (
        text,
        suggested(e).map(|name| format!("did you mean {name}?")),
    )
}

/// What was meant, by clap's guess.
pub(crate) fn suggested(e: &clap::Error) -> Option<String> {
    [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .find_map(|kind| e.get(kind))
    .map(ToString::to_string)
}
