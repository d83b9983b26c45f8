//! What is at the bottom: whether the cluster can be reached, and since when not.

use jiff::Timestamp;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use super::screen::{color, words};
use super::{App, Link};

/// The most lines that an alarm takes.
const MOST: usize = 3;

/// Returns what to show at the bottom of a screen of this size. An alarm takes as many lines as it needs,
/// where there are lines to spare; everything else takes one.
pub(super) fn lines(app: &App, width: usize, height: usize) -> Vec<Line<'static>> {
    if let Some(typed) = &app.typing {
        // The end is what is being typed.
        let text = format!("/{typed}");
        let start = text.chars().count().saturating_sub(width.max(1));
        return vec![Line::raw(text.chars().skip(start).collect::<String>())];
    }
    if app.no_match {
        let said = words(app, "no match", "aucun résultat");
        let colon = words(app, ":", " :");
        return vec![Line::raw(format!("{said}{colon} {}", app.search))];
    }
    let keys = words(app, "? keys   q quit", "? touches   q quitter");
    let version = app.document.as_ref().map(|document| document.version());
    let version = version.map_or_else(String::new, |version| format!("   CIB {version}"));
    let calm = match &app.link {
        Link::Connecting => [
            words(app, "connecting   q quit", "connexion   q quitter").to_owned(),
            String::new(),
        ],
        Link::Up => {
            if let Some(since) = app.launcher_gone {
                let silent = since_when(app, "pacemakerd", since);
                let followed = words(app, "; the CIB is followed", " ; la CIB est suivie");
                let full = format!("{silent}{followed}{version}   {keys}");
                return alarm(app, &full, &silent, width, height);
            }
            let live = words(
                app,
                "live since the last change at",
                "en direct depuis le dernier changement, à",
            );
            let briefly = words(app, "live since", "depuis");
            let at = time(app, app.at);
            [live, briefly].map(|live| format!("{live} {at}{version}   {keys}"))
        }
        Link::Silent(since) => {
            let silent = since_when(app, "pacemaker-based", *since);
            let full = format!("{silent}{}", last_known(app));
            return alarm(app, &full, &silent, width, height);
        }
        Link::Down(since, cause) => {
            let known = if app.document.is_some() {
                last_known(app)
            } else {
                ""
            };
            let lost = words(
                app,
                "no connection to the cluster since",
                "pas de connexion à la grappe depuis",
            );
            let briefly = words(app, "lost since", "perdue depuis");
            let colon = words(app, ":", " :");
            let at = time(app, *since);
            let full = format!("{lost} {at}{known}{colon} {cause}");
            let short = format!("{briefly} {at}{colon} {cause}");
            return alarm(app, &full, &short, width, height);
        }
    };
    let [full, short] = calm;
    let text = if fits(&full, width) || short.is_empty() {
        full
    } else {
        short
    };
    let style = match app.link {
        Link::Up => Style::new().add_modifier(Modifier::DIM),
        _ => Style::new(),
    };
    vec![Line::styled(text, style)]
}

fn fits(text: &str, width: usize) -> bool {
    text.chars().count() <= width
}

/// Says that a daemon does not answer.
fn since_when(app: &App, daemon: &str, since: Timestamp) -> String {
    let (silent, when) = (
        words(app, "no answer from", "pas de réponse de"),
        words(app, "since", "depuis"),
    );
    format!("{silent} {daemon} {when} {}", time(app, since))
}

fn last_known(app: &App) -> &'static str {
    words(
        app,
        "; this is the last known state",
        " ; ceci est le dernier état connu",
    )
}

/// The full text in as many lines as it needs, or else the short one.
fn alarm(app: &App, full: &str, short: &str, width: usize, height: usize) -> Vec<Line<'static>> {
    let style = color(app, Color::Red).add_modifier(Modifier::REVERSED);
    let room = (height / 4).clamp(1, MOST);
    let whole = wrapped(full, width);
    let texts = if whole.len() <= room {
        whole
    } else {
        wrapped(short, width)
    };
    texts
        .into_iter()
        .take(room)
        .map(|text| Line::styled(text, style))
        .collect()
}

/// Breaks a text between words into lines of at most this many columns; a longer word is broken itself.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    if fits(text, width) {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length <= width {
            used += 1;
            if let Some(line) = lines.last_mut() {
                line.push(' ');
            }
        } else if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for letter in word.chars() {
            if used == width {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            used += 1;
        }
    }
    lines
}

fn time(app: &App, at: Timestamp) -> String {
    at.to_zoned(app.zone.clone())
        .strftime("%H:%M:%S")
        .to_string()
}
