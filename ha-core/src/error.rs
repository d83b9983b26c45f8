//! One error type for the whole library.
//!
//! An [`Error`] says what failed ([`ErrorKind`], for decisions), why (the chain of causes, for
//! reading), and what to do next ([`Error::hint`], for an administrator).

mod french;

use std::borrow::Cow;
use std::fmt;

use crate::language::Language;

/// What went wrong, for programs that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument or an input is not acceptable (bad name, bad XML, bad number).
    Invalid,
    /// The thing asked for does not exist.
    NotFound,
    /// The thing to be made exists already.
    AlreadyExists,
    /// The daemon is not running, refused the connection, or went away.
    Disconnected,
    /// The daemon did not answer by the deadline.
    Timeout,
    /// The daemon asked to try again later (flow control, a membership change in progress).
    TryAgain,
    /// The caller may not do this (ACL, file mode, not root).
    PermissionDenied,
    /// The change does not conform to the CIB's schema.
    Schema,
    /// The state changed meanwhile: a patch no longer applies, a version does not match.
    Conflict,
    /// Neither the daemon nor the installed library can do this.
    Unsupported,
    /// The partition has no quorum.
    NoQuorum,
    /// What was asked was accepted, and the cluster does otherwise: constraints, failures or a state that
    /// is set stand in the way.
    Unsatisfied,
    /// A limit was reached (message size, memory, disk space, descriptors).
    Limit,
    /// Reading or writing a file or a socket failed.
    Io,
    /// The daemon answered something that its protocol does not allow.
    Protocol,
    /// The daemon reported another failure; the message and [`Error::code`] say which.
    Daemon,
}

impl ErrorKind {
    /// Returns the exit status that Pacemaker's tools use for this kind (`crm_error --exit`).
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Invalid => 65,
            Self::NotFound => 105,
            Self::AlreadyExists => 108,
            Self::Disconnected => 102,
            Self::Timeout => 124,
            Self::TryAgain => 75,
            Self::PermissionDenied => 4,
            Self::Schema => 78,
            Self::Conflict => 103,
            Self::Unsupported => 3,
            Self::NoQuorum => 106,
            Self::Unsatisfied => 113,
            Self::Limit => 71,
            Self::Io => 74,
            Self::Protocol => 76,
            Self::Daemon => 1,
        }
    }
}

/// The result of a fallible operation of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed, why, and what to do next.
///
/// `{}` prints the outermost message, `{:#}` the whole chain on one line, `{:?}` the chain on
/// several lines with the hint.
///
/// # Example
/// ```
/// use ha_core::{Error, ErrorKind};
/// let e = Error::new(ErrorKind::Timeout, "pacemaker-based did not answer within 5s")
///     .with_hint("check that the daemon is not stopped: systemctl status pacemaker")
///     .context("query the CIB");
/// assert_eq!(e.kind(), ErrorKind::Timeout);
/// assert_eq!(e.to_string(), "query the CIB");
/// assert_eq!(format!("{e:#}"), "query the CIB: pacemaker-based did not answer within 5s");
/// assert!(e.is_retryable());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    /// Outermost first.
    context: Vec<Cow<'static, str>>,
    message: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    /// The message with its causes, and the hint, where they are no texts of the table.
    french: Option<(String, Option<String>)>,
    code: Option<i32>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of a kind with a message (lower case, no final full stop).
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            context: Vec::new(),
            message: message.into(),
            hint: None,
            french: None,
            code: None,
            source: None,
        }))
    }

    /// Adds what was being done, in front of the message.
    #[must_use]
    #[cold]
    pub fn context(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.0.context.insert(0, what.into());
        self
    }

    /// Sets the next step that a system administrator can take.
    #[must_use]
    #[cold]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Keeps the C library's own return code.
    #[must_use]
    #[cold]
    pub fn with_code(mut self, code: i32) -> Self {
        self.0.code = Some(code);
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    #[cold]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns what went wrong, for decisions.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the next step that an administrator can take, when one is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Says in French what the message and its causes are, and the hint: where they are made of what is known in
    /// both languages.
    ///
    /// # Example
    /// ```
    /// use ha_core::Error;
    /// use ha_core::language::Language;
    /// let e = Error::invalid("no such page").in_french("pas de telle page".to_owned(), None);
    /// assert_eq!(e.text(Language::French), "pas de telle page");
    /// ```
    #[must_use]
    #[cold]
    pub fn in_french(mut self, message: String, hint: Option<String>) -> Self {
        self.0.french = Some((message, hint));
        self
    }

    /// Returns the whole chain on one line in a language. What the system or a daemon said stays as it was.
    ///
    /// # Example
    /// ```
    /// use ha_core::language::Language;
    /// use ha_core::{Error, ErrorKind};
    /// let e = Error::new(ErrorKind::NotFound, "there is no node esclav").context("fence esclav");
    /// assert_eq!(e.text(Language::English), "fence esclav: there is no node esclav");
    /// assert_eq!(e.text(Language::French), "isoler esclav : il n'y a pas de nœud esclav");
    /// ```
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        if language == Language::English {
            return format!("{self:#}");
        }
        let context = self.0.context.iter();
        let mut parts: Vec<String> = context.map(|text| french::in_french(text)).collect();
        if let Some((message, _)) = &self.0.french {
            parts.push(message.clone());
            return parts.join(" : ");
        }
        parts.push(french::in_french(&self.0.message));
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            parts.push(french::in_french(&cause.to_string()));
            source = cause.source();
        }
        parts.join(" : ")
    }

    /// As [`hint`](Self::hint), in a language.
    #[must_use]
    pub fn hint_text(&self, language: Language) -> Option<String> {
        match (language, &self.0.french) {
            (Language::English, _) => self.hint().map(str::to_owned),
            (_, Some((_, Some(hint)))) => Some(hint.clone()),
            _ => self.hint().map(french::in_french),
        }
    }

    /// Returns the C library's return code as it gave it (`cs_error_t`, or a Pacemaker code).
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.0.code
    }

    /// Tells whether the same call may succeed later without any change by the caller.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Disconnected
                | ErrorKind::Timeout
                | ErrorKind::TryAgain
                | ErrorKind::Conflict
                | ErrorKind::NoQuorum
        )
    }

    /// Returns the exit status that Pacemaker's tools use for such a failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.0.kind.exit_code()
    }

    /// Returns an error of kind [`ErrorKind::Invalid`].
    #[cold]
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    fn layers(&self) -> impl Iterator<Item = &str> {
        self.0
            .context
            .iter()
            .map(AsRef::as_ref)
            .chain(std::iter::once(self.0.message.as_ref()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut layers = self.layers();
        f.write_str(layers.next().unwrap_or_default())?;
        if f.alternate() {
            for layer in layers {
                write!(f, ": {layer}")?;
            }
            let mut source = std::error::Error::source(self);
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{self} ({:?})", self.0.kind)?;
        for layer in self.layers().skip(1) {
            writeln!(f, "  caused by: {layer}")?;
        }
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            writeln!(f, "  caused by: {cause}")?;
            source = cause.source();
        }
        if let Some(hint) = self.hint() {
            writeln!(f, "  next step: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        let kind = match e.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            std::io::ErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
            std::io::ErrorKind::TimedOut => ErrorKind::Timeout,
            std::io::ErrorKind::StorageFull => ErrorKind::Limit,
            _ => ErrorKind::Io,
        };
        Self::new(kind, e.to_string())
    }
}

/// Adds what was being done to the error of a `Result`.
pub trait ErrorExt<T> {
    /// Adds a constant context.
    ///
    /// # Errors
    /// Returns the same error, with the context in front.
    fn context(self, what: &'static str) -> Result<T>;

    /// Adds a context that is made only when there is an error.
    ///
    /// # Errors
    /// Returns the same error, with the context in front.
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> ErrorExt<T> for std::result::Result<T, E> {
    fn context(self, what: &'static str) -> Result<T> {
        self.map_err(|e| e.into().context(what))
    }

    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| e.into().context(what()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_reads_from_the_outside_in() {
        let io = std::io::Error::from_raw_os_error(libc_enoent());
        let e = std::result::Result::<(), _>::Err(io)
            .with_context(|| "read /x".to_owned())
            .context("load the CIB")
            .unwrap_err();
        assert_eq!(e.kind(), ErrorKind::NotFound);
        assert!(
            format!("{e:#}").starts_with("load the CIB: read /x: No such file"),
            "{e:#}"
        );
        assert!(!e.is_retryable());
    }

    fn libc_enoent() -> i32 {
        2
    }

    #[test]
    fn debug_shows_the_hint_and_the_source() {
        let e = Error::new(ErrorKind::Disconnected, "corosync is not running")
            .with_hint("start it")
            .with_source(std::io::Error::other("connection refused"));
        let text = format!("{e:?}");
        assert!(text.contains("next step: start it"), "{text}");
        assert!(text.contains("caused by: connection refused"), "{text}");
    }

    #[test]
    fn is_small_and_shareable() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
