//! The language of what Pacemaker's `crm_mon` does not say; what that one says stays as it says it.

use ha_core::Error;
use ha_core::language::Language;

/// Chooses between two languages.
pub(crate) fn of<'t>(language: Language, english: &'t str, french: &'t str) -> &'t str {
    match language {
        Language::French => french,
        _ => english,
    }
}

/// The language of the environment, as the C library finds it for messages.
pub(crate) fn of_environment() -> Language {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = of("LC_ALL")
        .or_else(|| of("LC_MESSAGES"))
        .or_else(|| of("LANG"));
    locale.map_or(Language::English, |name| Language::of_locale(&name))
}

/// The language that is asked for, as far as the words tell before they are understood.
pub(crate) fn asked_for(words: &[String]) -> Option<Language> {
    let next = words.iter().skip(1).map(String::as_str);
    let mut pairs = words.iter().zip(next.chain([""]));
    pairs.find_map(|(word, next)| {
        let value = word.strip_prefix("--lang=");
        value.or((word == "--lang").then_some(next))?.parse().ok()
    })
}

/// Adds what was being done, in both languages.
pub(crate) fn during(error: impl Into<Error>, english: &str, french: &str) -> Error {
    let error = error.into();
    let message = error.text(Language::French);
    let hint = error.hint_text(Language::French);
    error
        .context(english.to_owned())
        .in_french(format!("{french} : {message}"), hint)
}

/// Returns an error about what was given, in both languages.
pub(crate) fn invalid(english: String, french: String) -> Error {
    Error::invalid(english).in_french(french, None)
}
