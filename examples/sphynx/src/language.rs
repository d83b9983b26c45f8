//! The language that the programs speak to their users: French, unless English is asked for.

use std::sync::OnceLock;

use ha_core::language::Language;

static CHOSEN: OnceLock<Language> = OnceLock::new();

/// Settles the language of this process: the option's, else that of `LC_ALL`, `LC_MESSAGES` or `LANG`. Only the first
/// call counts.
pub fn choose(option: Option<Language>) -> Language {
    *CHOSEN.get_or_init(|| option.unwrap_or_else(of_environment))
}

/// Returns the language of this process.
#[must_use]
pub fn current() -> Language {
    choose(None)
}

fn of_environment() -> Language {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = of("LC_ALL")
        .or_else(|| of("LC_MESSAGES"))
        .or_else(|| of("LANG"));
    of_locale(&locale.unwrap_or_default())
}

/// The users are French: only a locale that says English has English.
fn of_locale(name: &str) -> Language {
    let end = name.find(['_', '.', '@']).unwrap_or(name.len());
    match &name[..end] {
        "en" => Language::English,
        _ => Language::French,
    }
}

/// Formats the text of the language that is spoken: `say!("in English {name}", "en français {name}")`.
#[macro_export]
macro_rules! say {
    ($english:literal, $french:literal $(, $($rest:tt)*)?) => {
        match $crate::language::current() {
            ::ha_core::language::Language::English => format!($english $(, $($rest)*)?),
            _ => format!($french $(, $($rest)*)?),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_unless_english_is_said() {
        for locale in ["", "C", "C.UTF-8", "POSIX", "fr_FR.UTF-8", "de_DE"] {
            assert_eq!(of_locale(locale), Language::French, "{locale}");
        }
        for locale in ["en_GB.UTF-8", "en", "en_US@euro"] {
            assert_eq!(of_locale(locale), Language::English, "{locale}");
        }
    }
}
