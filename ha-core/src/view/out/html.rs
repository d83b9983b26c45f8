//! HTML, with the line breaks of libxml2's serializer.

use super::{Lists, Span};

const STYLE: &str = "\
.bold { font-weight: bold }
.online { color: green }
.offline { color: red }
.maint { color: blue }
.standby { color: blue }
.health_red { color: red }
.health_yellow { color: GoldenRod }
.rsc-failed { color: red }
.rsc-failure-ignored { color: DarkGreen }
.rsc-managed { color: blue }
.rsc-multiple { color: orange }
.rsc-ok { color: green }
.warning { color: red; font-weight: bold }";

/// What can be set about the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The title.
    pub title: String,
    /// The address of a style sheet, linked to beside the style of the page itself.
    pub stylesheet: Option<String>,
    /// Have browsers read the page again after so many seconds.
    pub refresh: Option<u64>,
    /// Start with the header that a web server expects of a program.
    pub cgi: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            title: "Cluster Status".to_owned(),
            stylesheet: None,
            refresh: None,
            cgi: false,
        }
    }
}

/// Writes nested lists as HTML.
#[derive(Debug)]
pub struct Html {
    page: Page,
    body: Element,
    /// The lists that are open, the innermost last.
    open: Vec<Level>,
}

/// A list that is not finished.
#[derive(Debug)]
enum Level {
    /// A list with its heading.
    Headed(String, Element),
    /// An item that has lists inside it.
    Item(Element),
    /// No list of its own: its items belong to the list around it.
    Through,
}

impl Html {
    /// Starts a page.
    #[must_use]
    pub fn new(page: Page) -> Self {
        Self {
            page,
            body: Element::new("body"),
            open: Vec::new(),
        }
    }

    /// Returns the whole document.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        let mut head = Element::new("head");
        head.push(Element::with_text("title", &self.page.title));
        head.push(Element::new("meta").attribute("charset", "utf-8"));
        if let Some(seconds) = self.page.refresh {
            let refresh = Element::new("meta")
                .attribute("http-equiv", "refresh")
                .attribute("content", &seconds.to_string());
            head.push(refresh);
        }
        head.push(Element::with_text("style", STYLE));
        if let Some(address) = &self.page.stylesheet {
            let link = Element::new("link")
                .attribute("rel", "stylesheet")
                .attribute("href", &address_of(address));
            head.push(link);
        }
        let mut html = Element::new("html").attribute("lang", "en");
        html.push(head);
        html.push(self.body);
        let mut text = String::new();
        if self.page.cgi {
            text.push_str("Content-Type: text/html\n\n");
        }
        text.push_str("<!DOCTYPE html>\n");
        html.write(&mut text);
        text.push('\n');
        text
    }

    /// Adds a list without a heading.
    pub fn notes(&mut self, lines: &[&str]) {
        let mut list = Element::new("ul");
        for line in lines {
            list.push(Element::with_text("li", line));
        }
        self.body.push(list);
    }

    /// Adds a heading, and each line as a block below it.
    pub fn blocks(&mut self, title: &str, lines: &[String]) {
        self.body.push(Element::with_text("h2", title));
        for line in lines {
            self.body.push(Element::with_text("div", line));
        }
    }

    /// Adds to the innermost list.
    fn add(&mut self, item: Element) {
        let list = self.open.iter_mut().rev().find_map(|level| match level {
            Level::Headed(_, list) | Level::Item(list) => Some(list),
            Level::Through => None,
        });
        list.unwrap_or(&mut self.body).push(item);
    }
}

impl Lists for Html {
    fn begin(&mut self, title: &str) {
        let list = Element::new("ul");
        self.open.push(Level::Headed(title.to_owned(), list));
    }

    fn nest(&mut self, title: Option<&str>) {
        match title {
            Some(title) => self.begin(title),
            None => self.open.push(Level::Through),
        }
    }

    fn item(&mut self, spans: &[Span<'_>]) {
        self.add(pieces(spans));
    }

    fn item_with(&mut self, spans: &[Span<'_>], fill: &mut dyn FnMut(&mut dyn Lists)) {
        self.open.push(Level::Item(pieces(spans)));
        fill(self);
        if let Some(Level::Item(item)) = self.open.pop() {
            self.add(item);
        }
    }

    fn line(&mut self, text: &str) {
        self.add(Element::with_text("li", text));
    }

    fn styled_line(&mut self, class: &'static str, text: &str) {
        self.add(Element::with_text("li", text).attribute("class", class));
    }

    fn end(&mut self) {
        let Some(Level::Headed(title, list)) = self.open.pop() else {
            return;
        };
        if self.open.is_empty() {
            self.body.push(Element::with_text("h2", &title));
            self.body.push(list);
            return;
        }
        let mut item = Element::new("li");
        item.push(Element::with_text("h3", &title));
        item.push(list);
        self.add(item);
    }

    fn end_unless_empty(&mut self) -> bool {
        let is_empty = matches!(
            self.open.last(),
            Some(Level::Headed(_, list)) if list.children.is_empty()
        );
        if is_empty {
            self.open.pop();
        } else {
            self.end();
        }
        !is_empty
    }

    fn discount(&mut self) {}

    fn paragraph(&mut self, _lines: &[&str]) {}

    fn is_html(&self) -> bool {
        true
    }
}

fn pieces(spans: &[Span<'_>]) -> Element {
    let mut item = Element::new("li");
    for span in spans {
        let element = Element::with_text("span", span.text);
        item.push(match span.class {
            Some(class) => element.attribute("class", class),
            None => element,
        });
    }
    item
}

/// An element with either a text or elements inside it.
#[derive(Debug)]
struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    /// The text, already escaped.
    text: Option<String>,
    children: Vec<Self>,
}

impl Element {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            text: None,
            children: Vec::new(),
        }
    }

    fn with_text(name: &'static str, text: &str) -> Self {
        Self {
            text: content(text),
            ..Self::new(name)
        }
    }

    fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    /// Writes the element. Lines break around block elements, never beside a text, and not inside
    /// an element that has one child only.
    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}=\""));
            for c in value.chars() {
                escape(out, c, true);
            }
            out.push('"');
        }
        out.push('>');
        if matches!(self.name, "meta" | "link") {
            return;
        }
        match &self.text {
            Some(text) => out.push_str(text),
            // What ends by itself is not ended when there is nothing in it.
            None if self.children.is_empty() && self.name == "li" => return,
            None => {}
        }
        let breaks = self.children.len() > 1;
        if breaks {
            out.push('\n');
        }
        for (at, child) in self.children.iter().enumerate() {
            child.write(out);
            if child.name != "span" && at + 1 < self.children.len() {
                out.push('\n');
            }
        }
        if breaks {
            out.push('\n');
        }
        out.push_str(&format!("</{}>", self.name));
    }
}

/// Returns a text as `crm_mon` puts it into HTML. It reads entities first, so that `&lt;` comes to
/// the same as `<`, and an ampersand without a semicolon empties the whole text.
fn content(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('&') {
        plain.chars().for_each(|c| escape(&mut out, c, false));
        if let Some(number) = after.strip_prefix('#') {
            let (c, after) = numbered(number);
            if let Some(c) = c {
                escape(&mut out, c, false);
            }
            rest = after;
            continue;
        }
        let (name, after) = after.split_once(';')?;
        match name {
            "" => {}
            "amp" => escape(&mut out, '&', false),
            "lt" => escape(&mut out, '<', false),
            "gt" => escape(&mut out, '>', false),
            "quot" => out.push('"'),
            "apos" => out.push('\''),
            unknown => out.push_str(&format!("&{unknown};")),
        }
        rest = after;
    }
    rest.chars().for_each(|c| escape(&mut out, c, false));
    Some(out)
}

/// Reads the number of a character, and returns what follows it. What is no number is no character.
fn numbered(text: &str) -> (Option<char>, &str) {
    let (digits, radix) = match text.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix));
    let (number, rest) = digits.split_at(end.unwrap_or(digits.len()));
    let Some(after) = rest.strip_prefix(';') else {
        return (None, rest);
    };
    let c = u32::from_str_radix(number, radix)
        .ok()
        .and_then(char::from_u32);
    let is_allowed = |c: &char| *c >= ' ' || matches!(c, '\t' | '\n' | '\r');
    (c.filter(is_allowed), after)
}

fn escape(out: &mut String, c: char, quotes: bool) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' if quotes => out.push_str("&quot;"),
        '\r' => out.push_str("&#13;"),
        c if c.is_ascii() => out.push(c),
        c => out.push_str(&format!("&#x{:X};", u32::from(c))),
    }
}

/// Returns an address with what cannot stand in one as percent and hexadecimal digits.
fn address_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.trim_start().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()@/:=?;#%&,+<>".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(fill: impl Fn(&mut Html)) -> String {
        let mut html = Html::new(Page::default());
        fill(&mut html);
        let text = html.finish();
        let start = text.find("<body>").unwrap_or_default();
        text[start..].to_owned()
    }

    #[test]
    fn lines_break_only_between_several_children() {
        let one = body(|html| {
            html.begin("A");
            html.item(&[Span::plain("1 < 2")]);
            html.end();
        });
        assert_eq!(
            one,
            "<body>\n<h2>A</h2>\n<ul><li><span>1 &lt; 2</span></li></ul>\n</body>\n</html>\n"
        );
        let nested = body(|html| {
            html.begin("A");
            html.begin("B");
            html.item(&[Span::styled("bold", "x"), Span::plain("y")]);
            html.line("z");
            html.end();
            html.end();
        });
        assert_eq!(
            nested,
            "<body>\n<h2>A</h2>\n<ul><li>\n<h3>B</h3>\n<ul>\n<li>\n<span class=\"bold\">x</span>\
             <span>y</span>\n</li>\n<li>z</li>\n</ul>\n</li></ul>\n</body>\n</html>\n"
        );
    }

    #[test]
    fn entities_in_texts_are_read_first() {
        let cases = [
            ("a &lt; b", Some("a &lt; b")),
            ("a < b", Some("a &lt; b")),
            ("a & b", None),
            ("x &foo; y", Some("x &foo; y")),
            ("&;", Some("")),
            ("&#65;&#x42;", Some("AB")),
            ("&#12a;", Some("a;")),
            ("&#x4g1;z", Some("g1;z")),
            ("&#1114112;&#1;", Some("")),
            ("\u{e9}\r", Some("&#xE9;&#13;")),
            ("&quot;&apos;&gt;", Some("\"'&gt;")),
        ];
        for (text, expected) in cases {
            assert_eq!(content(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_keep_what_may_stand_in_one() {
        assert_eq!(
            address_of("http://x/?a=\"b\"&c= d<>'%41[$]"),
            "http://x/?a=%22b%22&c=%20d<>'%41%5B%24%5D"
        );
    }
}
