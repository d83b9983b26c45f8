//! The drawing.

use ha_core::view::out::Line as Text;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::keys::{self, TOGGLES};
use super::{App, bar};

/// Draws everything: the status, and at the bottom a line on the connection, or some.
pub(super) fn draw(app: &mut App, frame: &mut Frame<'_>) {
    let whole = frame.area();
    let bar = bar::lines(app, whole.width.into(), whole.height.into());
    let height = u16::try_from(bar.len()).unwrap_or(1);
    let [body, foot] =
        Layout::vertical([Constraint::Min(0), Constraint::Length(height)]).areas(whole);
    app.height = usize::from(body.height);
    app.scroll_to(app.top);
    let lines = if app.help {
        help(app)
    } else if app.document.is_none() {
        let text = words(
            app,
            "Waiting for the cluster ...",
            "En attente de la grappe ...",
        );
        vec![Line::raw(text)]
    } else {
        app.lines
            .iter()
            .enumerate()
            .skip(app.top)
            .take(app.height)
            .map(|(at, line)| styled(app, line, app.hit == Some(at)))
            .collect()
    };
    let left = u16::try_from(app.left).unwrap_or(u16::MAX);
    frame.render_widget(Paragraph::new(lines).scroll((0, left)), body);
    frame.render_widget(Paragraph::new(bar), foot);
}

pub(super) fn color(app: &App, color: Color) -> Style {
    if app.color {
        Style::new().fg(color)
    } else {
        Style::new()
    }
}

/// The style of a class of the HTML output.
fn of_class(app: &App, class: &str) -> Style {
    match class {
        "online" | "rsc-ok" => color(app, Color::Green),
        "offline" | "rsc-failed" | "health_red" | "warning" => {
            color(app, Color::Red).add_modifier(Modifier::BOLD)
        }
        "maint" | "standby" | "rsc-managed" => color(app, Color::Blue),
        "health_yellow" | "rsc-multiple" | "rsc-failure-ignored" => color(app, Color::Yellow),
        "bold" => Style::new().add_modifier(Modifier::BOLD),
        _ => Style::new(),
    }
}

/// Plain text has its nodes in lists by state: the word in front says which.
fn of_label(app: &App, text: &str) -> Option<Style> {
    if text.starts_with("Online:") {
        Some(color(app, Color::Green))
    } else if text.starts_with("OFFLINE:") || text.contains("UNCLEAN") {
        Some(color(app, Color::Red).add_modifier(Modifier::BOLD))
    } else {
        None
    }
}

fn styled(app: &App, text: &Text, is_hit: bool) -> Line<'static> {
    let bullet = text.bullet();
    let mut column = bullet.chars().count();
    let mut spans = vec![Span::raw(bullet)];
    for piece in &text.pieces {
        let style = match piece.class {
            Some(class) => of_class(app, class),
            None => of_label(app, &piece.text).unwrap_or_default(),
        };
        spans.push(Span::styled(spread(&piece.text, &mut column), style));
    }
    let mut line = Line::from(spans);
    if text.is_title && text.depth == 0 {
        line = line.style(Style::new().add_modifier(Modifier::BOLD));
    }
    if keys::matches(app, text) {
        let mut style = Style::new().add_modifier(Modifier::REVERSED);
        if is_hit {
            style = style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        }
        line = line.style(style);
    }
    line
}

/// Puts spaces in the place of tabulators, which the screen would leave out, up to the next eighth column.
fn spread(text: &str, column: &mut usize) -> String {
    let mut spread = String::with_capacity(text.len());
    for c in text.chars() {
        let width = if c == '\t' { 8 - *column % 8 } else { 1 };
        spread.extend(std::iter::repeat_n(if c == '\t' { ' ' } else { c }, width));
        *column += width;
    }
    spread
}

pub(super) fn words(app: &App, english: &'static str, french: &'static str) -> &'static str {
    crate::words::of(app.language, english, french)
}

fn help(app: &App) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw(words(app, "Keys", "Touches")), Line::raw("")];
    for toggle in &TOGGLES {
        let mark = if (toggle.is_on)(&app.view) { "*" } else { " " };
        let what = words(app, toggle.what.0, toggle.what.1);
        lines.push(Line::raw(format!("{mark} {}  {what}", toggle.key)));
    }
    lines.push(Line::raw(format!(
        "{} m  {}",
        app.fence_history,
        words(
            app,
            "fencing: 0 none, 1 failed and pending, 2 all, 3 all in full",
            "isolements : 0 aucun, 1 échoués et en cours, 2 tous, 3 tous en entier",
        )
    )));
    for (english, french) in [
        ("", ""),
        (
            "  arrows, page up and down, home, end  scroll",
            "  flèches, page haut et bas, début, fin  défiler",
        ),
        (
            "  /  search;  > next, < previous, Esc no more",
            "  /  chercher ;  > suivant, < précédent, Échap plus rien",
        ),
        ("  ?  this help, and back", "  ?  cette aide, et retour"),
        ("  q  quit", "  q  quitter"),
    ] {
        lines.push(Line::raw(words(app, english, french)));
    }
    lines
}
