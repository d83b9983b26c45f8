//! How the types of the configuration are defined: each lists its fields once.

/// Defines a type that is one element: each field with how it stands in XML.
macro_rules! part {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $how:ident $($xml:literal)?,)*
        }
        $($more:tt)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What is in the element besides.
            pub rest: $crate::config::rest::Rest,
        }

        impl $crate::config::part::Part for $name {
            fn read(
                reader: &mut $crate::config::part::Reader<'_, '_>,
            ) -> Result<Self, $crate::config::Unreadable> {
                Ok(Self {
                    $($field: reader.$how($($xml)?)?,)*
                    rest: reader.rest(),
                })
            }

            fn write<'a>(&'a self, writer: &mut $crate::config::part::Writer<'_, 'a>) {
                $(writer.$how($($xml,)? &self.$field);)*
                writer.rest(&self.rest);
            }

            fn name_parts(&mut self, namer: &mut $crate::config::naming::Namer) {
                let outer = namer.enter(self, &self.rest);
                $(namer.$how($($xml,)? &mut self.$field);)*
                namer.leave(outer);
            }

            $($more)*
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[allow(unused_mut, reason = "some elements have no fields")]
                let mut shown = $crate::config::shown::Shown::new(serializer)?;
                $(shown.$how(stringify!($field), &self.$field);)*
                shown.end(&self.rest)
            }
        }
    };
}

/// Defines a type that is one of several elements.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident($type:ty) = $tag:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant($type),)*
        }

        impl $crate::config::part::Choice for $name {
            const TAGS: &'static [&'static str] = &[$($tag),*];

            fn read(
                reader: &mut $crate::config::part::Reader<'_, '_>,
            ) -> Result<Self, $crate::config::Unreadable> {
                use $crate::config::part::Part;
                match reader.element().name() {
                    $($tag => <$type as Part>::read(reader).map(Self::$variant),)*
                    other => unreachable!("{other} was not asked for"),
                }
            }

            fn part(&self) -> (&'static str, &dyn $crate::config::part::Part) {
                match self {
                    $(Self::$variant(part) => ($tag, part),)*
                }
            }

            fn part_mut(&mut self) -> (&'static str, &mut dyn $crate::config::part::Part) {
                match self {
                    $(Self::$variant(part) => ($tag, part),)*
                }
            }
        }
    };
}

/// Makes what one of several elements is of each.
macro_rules! from_each {
    ($name:ident: $($variant:ident($type:ty)),*) => {
        $(impl From<$type> for $name {
            fn from(part: $type) -> Self {
                Self::$variant(part)
            }
        })*
    };
}

/// Defines a type that is one of several words.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Returns the word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                use $crate::config::attribute::Attribute;
                Self::read(text).ok_or_else(|| {
                    let message = format!("{text:?} is none of the words known here");
                    $crate::Error::invalid(message).with_hint(Self::WOULD_DO)
                })
            }
        }

        impl $crate::config::attribute::Attribute for $name {
            const WOULD_DO: &'static str = concat!("one of these:", $(" ", $word),*);

            fn read(text: &str) -> Option<Self> {
                match text {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn print(&self) -> std::borrow::Cow<'_, str> {
                self.as_str().into()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::config::attribute::from_text(deserializer)
            }
        }
    };
}

pub(super) use {choice, from_each, part, words};
