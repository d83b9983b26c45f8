//! The format to print: two kinds of options choose it, and both count.
//!
//! `--output-as` says what kind of document is wanted. The options that were there before it (`-s`, `-X`,
//! `-h`, `-w`, `-N`) say what is in it, and choose a kind too; a later `--output-as` changes the kind
//! alone. So `-s --output-as=xml` is a document of which the one-line status leaves nothing. JSON, which
//! `crm_mon` does not have, is changed by no option of the other kind.

/// The format to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Xml,
    /// XML with the root element that it had before Pacemaker 2.0.3.
    LegacyXml,
    Html,
    /// What `crm_mon` does not have: for programs.
    Json,
    Simple,
    /// Documents without a status in them.
    EmptyXml,
    EmptyHtml,
}

impl Format {
    /// Tells whether the status was asked for in one line.
    pub(crate) fn is_simple(self) -> bool {
        matches!(self, Self::Simple | Self::EmptyXml | Self::EmptyHtml)
    }
}

/// The kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Xml,
    Html,
    Json,
}

/// The option from before `--output-as` that counts: the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// `--disable-ncurses`.
    Plain,
    /// `--simple-status`.
    Simple,
    /// `--as-xml`.
    Xml,
    /// `--as-html`.
    Html,
    /// `--web-cgi`.
    Cgi,
}

/// What the options have said up to now.
#[derive(Debug)]
pub(super) struct Choice {
    kind: Kind,
    old: Option<Old>,
    /// It is a page because of the program's name, which counts less than any option.
    by_name: bool,
    /// No text was asked for by name: a terminal is drawn on.
    pub(super) console: bool,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            kind: Kind::Text,
            old: None,
            by_name: false,
            console: true,
        }
    }
}

impl Choice {
    /// Starts with what a name that ends in `.cgi` says.
    pub(super) fn cgi_by_name(&mut self) {
        self.old(Old::Cgi);
        self.by_name = true;
    }

    /// Takes the value of `--output-as`. Like `crm_mon`, it takes what it does not know for the console.
    pub(super) fn output_as(&mut self, value: &str) {
        self.console = value.eq_ignore_ascii_case("console");
        self.kind = match value.to_ascii_lowercase().as_str() {
            "xml" => Kind::Xml,
            "html" => Kind::Html,
            "json" => Kind::Json,
            _ => Kind::Text,
        };
        self.by_name = false;
    }

    /// Takes one of the others.
    pub(super) fn old(&mut self, old: Old) {
        if self.kind == Kind::Json {
            return;
        }
        self.old = Some(old);
        let by_name = std::mem::take(&mut self.by_name);
        match old {
            Old::Plain => {
                self.console = false;
                if by_name {
                    self.kind = Kind::Text;
                }
            }
            Old::Simple => self.kind = Kind::Text,
            Old::Xml => self.kind = Kind::Xml,
            Old::Html | Old::Cgi => self.kind = Kind::Html,
        }
    }

    pub(super) fn is_cgi(&self) -> bool {
        self.old == Some(Old::Cgi)
    }

    /// Tells whether a page in a file says when it is to be read again.
    pub(super) fn refreshes(&self) -> bool {
        matches!(self.old, None | Some(Old::Html))
    }

    /// Tells whether everything is to be in it, as in what programs read.
    pub(super) fn has_all(&self) -> bool {
        let all = self.old == Some(Old::Xml) && self.kind == Kind::Html;
        all || matches!(self.kind, Kind::Xml | Kind::Json)
    }

    /// Returns what it comes to. Where the two contradict each other, which makes `crm_mon` print text as
    /// if it were XML or the other way round, the kind counts.
    pub(super) fn format(&self) -> Format {
        match (self.kind, self.old) {
            (Kind::Text, Some(Old::Simple)) => Format::Simple,
            (Kind::Xml, Some(Old::Simple)) => Format::EmptyXml,
            (Kind::Html, Some(Old::Simple)) => Format::EmptyHtml,
            (Kind::Xml, Some(Old::Xml)) => Format::LegacyXml,
            (Kind::Text, _) => Format::Text,
            (Kind::Xml, _) => Format::Xml,
            (Kind::Html, _) => Format::Html,
            (Kind::Json, _) => Format::Json,
        }
    }
}
