//! Where in a text a value stands.

use std::ops::Range;

use ha_core::name::is_secret;
use toml::de::{DeTable, DeValue};

/// Returns what of a TOML text holds the value of this path, or else the nearest table around it.
pub(super) fn find(text: &str, path: &str) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut array = None;
    let mut found = None;
    for step in path.split(['.', '[']) {
        let value = match step.strip_suffix(']') {
            Some(index) => array
                .take()
                .and_then(|array: &toml::de::DeArray<'_>| array.get(index.parse::<usize>().ok()?)),
            None => table.take().and_then(|table| {
                let mut entries = table.iter();
                entries
                    .find(|(key, _)| key.get_ref() == step)
                    .map(|(_, value)| value)
            }),
        };
        let Some(value) = value else { break };
        found = Some(value.span());
        match value.get_ref() {
            DeValue::Table(inner) => table = Some(inner),
            DeValue::Array(inner) => array = Some(inner),
            _ => {}
        }
    }
    found
}

/// Returns the number and the text of the line that something begins on: without its comment, and without the values of a
/// line that holds a password.
pub(super) fn line(text: &str, at: usize) -> (usize, &str) {
    let before = text.get(..at).unwrap_or(text);
    let number = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let comment = line.match_indices('#').map(|(at, _)| at);
    let mut comment = comment.filter(|&at| line[..at].matches('"').count().is_multiple_of(2));
    let line = line[..comment.next().unwrap_or(line.len())].trim();
    let words = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
    if line.split(words).any(is_secret) {
        return (number, line.split(words).next().unwrap_or_default());
    }
    (number, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n\n[b]\nc = \"x\"\nd = [1,\n 2]\n[[e]]\nf = 1\n[[e]]\nf = 2\n";

    fn line_of(path: &str) -> Option<usize> {
        find(TEXT, path).map(|span| line(TEXT, span.start).0)
    }

    #[test]
    fn finds_keys_of_tables_and_of_lists_of_them() {
        assert_eq!(line_of("a"), Some(1));
        assert_eq!(line_of("b.c"), Some(4));
        assert_eq!(line_of("b.d[1]"), Some(6));
        assert_eq!(line_of("e[0].f"), Some(8));
        assert_eq!(line_of("e[1].f"), Some(10));
        assert_eq!(line(TEXT, 13), (4, "c = \"x\""));
    }

    #[test]
    fn a_line_is_shown_without_comment_and_password() {
        assert_eq!(line("a = \"#1\" # more", 0), (1, "a = \"#1\""));
        assert_eq!(line("p = { password = \"x\" }", 0), (1, "p"));
    }

    #[test]
    fn finds_the_table_of_a_key_that_is_missing() {
        assert_eq!(line_of("b.none"), Some(3));
        assert_eq!(line_of("e[1].none"), Some(9));
        assert_eq!(line_of("none"), None);
    }
}
