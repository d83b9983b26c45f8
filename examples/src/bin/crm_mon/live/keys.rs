//! The keys: those of `crm_mon`, and the usual ones for scrolling and searching.

use ha_core::view::{Options, Part, Parts};
use jiff::Timestamp;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;

/// A key that switches something on and off.
pub(super) struct Toggle {
    pub(super) key: char,
    /// In English, and in French.
    pub(super) what: (&'static str, &'static str),
    pub(super) is_on: fn(&Options) -> bool,
    set: fn(&mut Options, bool),
}

fn part(view: &mut Options, part: Part, on: bool) {
    view.parts = if on {
        view.parts.with(part)
    } else {
        view.parts.without(part)
    };
}

/// The keys of the program that this one mimics. `D` hides what is at the top.
pub(super) const TOGGLES: [Toggle; 12] = [
    Toggle {
        key: 'n',
        what: ("resources grouped by node", "ressources par nœud"),
        is_on: |view| view.by_node,
        set: |view, on| view.by_node = on,
    },
    Toggle {
        key: 'r',
        what: ("inactive resources", "ressources inactives"),
        is_on: |view| view.inactive,
        set: |view, on| view.inactive = on,
    },
    Toggle {
        key: 'b',
        what: ("brief: resources counted", "en bref : ressources comptées"),
        is_on: |view| view.brief,
        set: |view, on| view.brief = on,
    },
    Toggle {
        key: 'R',
        what: ("details", "détails"),
        is_on: |view| view.detail,
        set: |view, on| view.detail = on,
    },
    Toggle {
        key: 'A',
        what: ("node attributes", "attributs des nœuds"),
        is_on: |view| view.parts.has(Part::Attributes),
        set: |view, on| part(view, Part::Attributes, on),
    },
    Toggle {
        key: 'f',
        what: ("fail counts", "nombres d'échecs"),
        is_on: |view| view.parts.has(Part::FailCounts),
        set: |view, on| part(view, Part::FailCounts, on),
    },
    Toggle {
        key: 'o',
        what: ("history of operations", "historique des opérations"),
        is_on: |view| view.parts.has(Part::Operations),
        set: |view, on| part(view, Part::Operations, on),
    },
    Toggle {
        key: 't',
        what: ("times of operations", "durées des opérations"),
        is_on: |view| view.timing,
        set: |view, on| view.timing = on,
    },
    Toggle {
        key: 'j',
        what: (
            "what is being done to resources",
            "ce qui se fait des ressources",
        ),
        is_on: |view| view.pending,
        set: |view, on| view.pending = on,
    },
    Toggle {
        key: 'c',
        what: ("tickets", "tickets"),
        is_on: |view| view.parts.has(Part::Tickets),
        set: |view, on| part(view, Part::Tickets, on),
    },
    Toggle {
        key: 'L',
        what: ("bans", "interdictions (bans)"),
        is_on: |view| view.parts.has(Part::Bans),
        set: |view, on| part(view, Part::Bans, on),
    },
    Toggle {
        key: 'D',
        what: ("hide the summary", "cacher le résumé"),
        is_on: |view| !view.parts.has(Part::Counts),
        set: |view, on| {
            let summary = Parts::SUMMARY.without(Part::Options);
            view.parts = if on {
                view.parts.difference(summary)
            } else {
                view.parts.union(summary)
            };
        },
    },
];

/// Does what a key says; tells whether to go on.
pub(super) fn press(app: &mut App, key: KeyEvent, now: Timestamp) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && key.code == KeyCode::Char('c') {
        return false;
    }
    if app.typing.is_some() {
        type_search(app, key.code);
        return true;
    }
    // The help stays while its switches are tried.
    if app.help && matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('?')) {
        app.help = false;
        return true;
    }
    app.no_match = false;
    match key.code {
        KeyCode::Char('q') => return false,
        KeyCode::Char('?') => app.help = true,
        KeyCode::Char('/') => app.typing = Some(String::new()),
        KeyCode::Char('>') => {
            let from = seen_hit(app).map_or(app.top, |at| at + 1);
            find(app, from, true);
        }
        KeyCode::Char('<') => {
            let before = seen_hit(app).unwrap_or(app.top);
            find(app, before, false);
        }
        KeyCode::Esc => {
            app.search.clear();
            app.hit = None;
        }
        KeyCode::Char('m') => {
            app.fence_history = (app.fence_history + 1) % 4;
            app.view.parts = app
                .view
                .parts
                .difference(Parts::FENCING)
                .union(Parts::of_fence_history(app.fence_history));
            app.compute(now);
        }
        KeyCode::Down => app.scroll_to(app.top + 1),
        KeyCode::Up => app.scroll_to(app.top.saturating_sub(1)),
        KeyCode::PageDown | KeyCode::Char(' ') => app.scroll_to(app.top + app.height.max(1)),
        KeyCode::PageUp => app.scroll_to(app.top.saturating_sub(app.height.max(1))),
        KeyCode::Home => {
            app.scroll_to(0);
            app.left = 0;
        }
        KeyCode::End => app.scroll_to(usize::MAX),
        KeyCode::Right => app.left = (app.left + 8).min(1000),
        KeyCode::Left => app.left = app.left.saturating_sub(8),
        KeyCode::Char(pressed) => {
            if let Some(toggle) = TOGGLES.iter().find(|toggle| toggle.key == pressed) {
                let on = (toggle.is_on)(&app.view);
                (toggle.set)(&mut app.view, !on);
                app.compute(now);
            }
        }
        _ => {}
    }
    true
}

fn type_search(app: &mut App, code: KeyCode) {
    let Some(text) = &mut app.typing else {
        return;
    };
    match code {
        KeyCode::Char(typed) => text.push(typed),
        KeyCode::Backspace => {
            text.pop();
        }
        KeyCode::Esc => app.typing = None,
        KeyCode::Enter => {
            app.search = std::mem::take(text);
            app.typing = None;
            find(app, app.top, true);
        }
        _ => {}
    }
}

/// Tells whether a line has what is searched for, without regard to case.
pub(super) fn matches(app: &App, line: &ha_core::view::out::Line) -> bool {
    if app.search.is_empty() {
        return false;
    }
    let text: String = line
        .pieces
        .iter()
        .map(|piece| piece.text.as_str())
        .collect();
    text.to_lowercase().contains(&app.search.to_lowercase())
}

/// The line that the last search went to, unless it was scrolled away.
fn seen_hit(app: &App) -> Option<usize> {
    let seen = app.top..app.top + app.height.max(1);
    app.hit.filter(|at| seen.contains(at))
}

/// Goes to the next line from here on that has what is searched for, or to the last one before here.
fn find(app: &mut App, from: usize, forward: bool) {
    let hits: Vec<usize> = (0..app.lines.len())
        .filter(|&at| matches(app, &app.lines[at]))
        .collect();
    let next = if forward {
        hits.iter().find(|&&at| at >= from).or(hits.first())
    } else {
        hits.iter().rfind(|&&at| at < from).or(hits.last())
    };
    app.hit = next.copied();
    app.no_match = app.hit.is_none() && !app.search.is_empty();
    if let Some(at) = app.hit {
        app.scroll_to(at);
    }
}
