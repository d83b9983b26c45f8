//! Expressions about the time.

use super::macros::{part, words};
use super::rest::Rest;
use super::rule::Expression;
use crate::name::Id;

words! {
    /// How the time is compared.
    DateOperation {
        /// It is after the start.
        After = "gt",
        /// It is before the end.
        Before = "lt",
        /// It is between start and end (or start and start plus duration).
        InRange = "in_range",
        /// It matches a pattern, as in "at night".
        Matches = "date_spec",
    }
}

part! {
    /// An expression about the time. Dates are ISO 8601 (`2026-11-23 02:00:00 +01:00`); without an
    /// offset, they are in the time zone of the Designated Controller (DC).
    DateExpression {
        /// Its id.
        id: Option<Id> = own "id",
        /// How the time is compared.
        operation: DateOperation = required "operation",
        /// The first moment.
        start: Option<String> = optional "start",
        /// The last moment.
        end: Option<String> = optional "end",
        /// How long after the start the last moment is.
        duration: Option<Box<DateDuration>> = one "duration",
        /// The pattern.
        spec: Option<Box<DateSpec>> = one "date_spec",
    }
}

impl DateExpression {
    fn new(operation: DateOperation) -> Self {
        Self {
            id: None,
            operation,
            start: None,
            end: None,
            duration: None,
            spec: None,
            rest: Rest::default(),
        }
    }
}

impl Expression {
    /// It is after a date.
    #[must_use]
    pub fn after(date: &str) -> Self {
        let start = Some(date.to_owned());
        Self::Date(DateExpression {
            start,
            ..DateExpression::new(DateOperation::After)
        })
    }

    /// It is before a date.
    #[must_use]
    pub fn before(date: &str) -> Self {
        let end = Some(date.to_owned());
        Self::Date(DateExpression {
            end,
            ..DateExpression::new(DateOperation::Before)
        })
    }

    /// It is between two dates.
    #[must_use]
    pub fn between(start: &str, end: &str) -> Self {
        Self::Date(DateExpression {
            start: Some(start.to_owned()),
            end: Some(end.to_owned()),
            ..DateExpression::new(DateOperation::InRange)
        })
    }

    /// It is between a date and a time after it.
    #[must_use]
    pub fn within(start: &str, duration: DateDuration) -> Self {
        Self::Date(DateExpression {
            start: Some(start.to_owned()),
            duration: Some(Box::new(duration)),
            ..DateExpression::new(DateOperation::InRange)
        })
    }

    /// The time matches a pattern.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{DateSpec, Expression};
    /// let mut office = DateSpec::default();
    /// office.hours = Some("8-17".to_owned());
    /// office.weekdays = Some("1-5".to_owned());
    /// let office = Expression::matches(office);
    /// # let _ = office;
    /// ```
    #[must_use]
    pub fn matches(spec: DateSpec) -> Self {
        Self::Date(DateExpression {
            spec: Some(Box::new(spec)),
            ..DateExpression::new(DateOperation::Matches)
        })
    }
}

part! {
    /// A pattern of moments: each field is a number or a range (`8-17`), and what is not given
    /// does not matter.
    #[derive(Default)]
    DateSpec {
        /// Its id.
        id: Option<Id> = own "id",
        /// Years.
        years: Option<String> = optional "years",
        /// Months, 1 to 12.
        months: Option<String> = optional "months",
        /// Days of the month, 1 to 31.
        monthdays: Option<String> = optional "monthdays",
        /// Hours, 0 to 23.
        hours: Option<String> = optional "hours",
        /// Minutes, 0 to 59.
        minutes: Option<String> = optional "minutes",
        /// Seconds, 0 to 59.
        seconds: Option<String> = optional "seconds",
        /// Days of the year, 1 to 366.
        yeardays: Option<String> = optional "yeardays",
        /// Years of ISO weeks.
        weekyears: Option<String> = optional "weekyears",
        /// ISO weeks, 1 to 53.
        weeks: Option<String> = optional "weeks",
        /// Days of the week, 1 (Monday) to 7.
        weekdays: Option<String> = optional "weekdays",
        /// Phases of the moon, 0 (new) to 7; 4 is full.
        moon: Option<String> = optional "moon",
    }
}

impl DateSpec {
    /// Returns the fields with their names in XML.
    pub(super) fn fields_mut(&mut self) -> [(&'static str, &mut Option<String>); 11] {
        [
            ("years", &mut self.years),
            ("months", &mut self.months),
            ("monthdays", &mut self.monthdays),
            ("hours", &mut self.hours),
            ("minutes", &mut self.minutes),
            ("seconds", &mut self.seconds),
            ("yeardays", &mut self.yeardays),
            ("weekyears", &mut self.weekyears),
            ("weeks", &mut self.weeks),
            ("weekdays", &mut self.weekdays),
            ("moon", &mut self.moon),
        ]
    }
}

part! {
    /// A length of time by the calendar.
    #[derive(Default)]
    DateDuration {
        /// Its id.
        id: Option<Id> = own "id",
        /// Years.
        years: Option<String> = optional "years",
        /// Months.
        months: Option<String> = optional "months",
        /// Weeks.
        weeks: Option<String> = optional "weeks",
        /// Days.
        days: Option<String> = optional "days",
        /// Hours.
        hours: Option<String> = optional "hours",
        /// Minutes.
        minutes: Option<String> = optional "minutes",
        /// Seconds.
        seconds: Option<String> = optional "seconds",
    }
}
