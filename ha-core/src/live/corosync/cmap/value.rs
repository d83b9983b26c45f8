//! The typed values of a map.

use std::borrow::Cow;
use std::fmt;

use corosync_sys as sys;

use crate::{Error, ErrorKind, Result};

/// A value of a map, with its type.
///
/// # Example
/// ```
/// use ha_core::live::corosync::cmap::Value;
/// let value = Value::from("Sphynx à deux nœuds");
/// assert_eq!(value.to_string(), "Sphynx à deux nœuds");
/// // Integers convert when they fit, whatever the width of the value.
/// assert_eq!(u16::try_from(Value::U64(5405))?, 5405);
/// assert!(u16::try_from(Value::U64(70_000)).is_err());
/// # Ok::<(), ha_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// An integer of 8 bits.
    I8(i8),
    /// An unsigned integer of 8 bits.
    U8(u8),
    /// An integer of 16 bits.
    I16(i16),
    /// An unsigned integer of 16 bits.
    U16(u16),
    /// An integer of 32 bits.
    I32(i32),
    /// An unsigned integer of 32 bits.
    U32(u32),
    /// An integer of 64 bits.
    I64(i64),
    /// An unsigned integer of 64 bits.
    U64(u64),
    /// A number with a fraction, of 32 bits.
    F32(f32),
    /// A number with a fraction, of 64 bits.
    F64(f64),
    /// A text.
    Text(String),
    /// A text that is not UTF-8, as its bytes.
    OtherText(Vec<u8>),
    /// Any bytes.
    Binary(Vec<u8>),
    /// A type that this library does not know.
    Unknown {
        /// Corosync's number for the type.
        kind: u32,
        /// The value as it came.
        bytes: Vec<u8>,
    },
}

/// Every type that has a fixed size: its variant, its C constant, its Rust type.
macro_rules! for_numbers {
    ($callback:ident) => {
        $callback! {
            I8 CMAP_VALUETYPE_INT8 i8, U8 CMAP_VALUETYPE_UINT8 u8,
            I16 CMAP_VALUETYPE_INT16 i16, U16 CMAP_VALUETYPE_UINT16 u16,
            I32 CMAP_VALUETYPE_INT32 i32, U32 CMAP_VALUETYPE_UINT32 u32,
            I64 CMAP_VALUETYPE_INT64 i64, U64 CMAP_VALUETYPE_UINT64 u64,
            F32 CMAP_VALUETYPE_FLOAT f32, F64 CMAP_VALUETYPE_DOUBLE f64
        }
    };
}

macro_rules! codec {
    ($($variant:ident $constant:ident $rust:ident),*) => {
        impl Value {
            /// Makes a value of what C gave. A number of the wrong size is kept as it came.
            pub(in crate::live) fn decode(kind: u32, bytes: &[u8]) -> Self {
                match kind {
                    $(sys::$constant => match bytes.try_into() {
                        Ok(bytes) => Self::$variant($rust::from_ne_bytes(bytes)),
                        Err(_) => Self::Unknown { kind, bytes: bytes.to_vec() },
                    },)*
                    sys::CMAP_VALUETYPE_STRING => {
                        // The final NUL is counted by some and not by others.
                        let text = bytes.split(|&b| b == 0).next().unwrap_or_default().to_vec();
                        match String::from_utf8(text) {
                            Ok(text) => Self::Text(text),
                            Err(e) => Self::OtherText(e.into_bytes()),
                        }
                    }
                    sys::CMAP_VALUETYPE_BINARY => Self::Binary(bytes.to_vec()),
                    kind => Self::Unknown { kind, bytes: bytes.to_vec() },
                }
            }

            /// Returns C's number for the type, and the bytes that C takes.
            pub(in crate::live) fn encode(&self) -> (u32, Cow<'_, [u8]>) {
                match self {
                    $(Self::$variant(n) => (sys::$constant, n.to_ne_bytes().to_vec().into()),)*
                    Self::Text(text) => (sys::CMAP_VALUETYPE_STRING, text.as_bytes().into()),
                    Self::OtherText(bytes) => (sys::CMAP_VALUETYPE_STRING, bytes.into()),
                    Self::Binary(bytes) => (sys::CMAP_VALUETYPE_BINARY, bytes.into()),
                    Self::Unknown { kind, bytes } => (*kind, bytes.into()),
                }
            }
        }

        $(impl From<$rust> for Value {
            fn from(n: $rust) -> Self {
                Self::$variant(n)
            }
        })*
    };
}

for_numbers!(codec);

impl Value {
    /// The longest text or binary value that corosync keeps, in bytes.
    pub const LONGEST: usize = 16 * 1024;

    /// Returns the text, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, when it is one.
    #[must_use]
    pub fn as_integer(&self) -> Option<i128> {
        Some(match *self {
            Self::I8(n) => n.into(),
            Self::U8(n) => n.into(),
            Self::I16(n) => n.into(),
            Self::U16(n) => n.into(),
            Self::I32(n) => n.into(),
            Self::U32(n) => n.into(),
            Self::I64(n) => n.into(),
            Self::U64(n) => n.into(),
            _ => return None,
        })
    }

    /// Refuses what corosync would cut short or answer with a code that says little.
    pub(super) fn check(&self) -> Result<()> {
        let (kind, bytes) = self.encode();
        if kind == sys::CMAP_VALUETYPE_STRING && bytes.contains(&0) {
            return Err(Error::invalid("a text has no NUL in it"));
        }
        if bytes.len() > Self::LONGEST {
            return Err(Error::new(
                ErrorKind::Limit,
                format!(
                    "a value has at most {} bytes, not {}",
                    Self::LONGEST,
                    bytes.len()
                ),
            ));
        }
        Ok(())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

macro_rules! integers {
    ($($rust:ident),*) => {
        $(impl TryFrom<Value> for $rust {
            type Error = Error;

            fn try_from(value: Value) -> Result<Self> {
                let integer = value.as_integer().and_then(|n| n.try_into().ok());
                integer.ok_or_else(|| mismatch(&value, stringify!($rust)))
            }
        })*
    };
}

integers!(i8, u8, i16, u16, i32, u32, i64, u64);

impl TryFrom<Value> for f64 {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::F64(n) => Ok(n),
            Value::F32(n) => Ok(n.into()),
            other => Err(mismatch(&other, "f64")),
        }
    }
}

impl TryFrom<Value> for String {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text),
            other => Err(mismatch(&other, "text")),
        }
    }
}

impl TryFrom<Value> for Vec<u8> {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::Binary(bytes) => Ok(bytes),
            other => Err(mismatch(&other, "binary")),
        }
    }
}

#[cold]
fn mismatch(value: &Value, wanted: &str) -> Error {
    Error::invalid(format!(
        "the value {value:?} is not of type {wanted}, or does not fit"
    ))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F32(n) => n.fmt(f),
            Self::F64(n) => n.fmt(f),
            Self::Text(text) => f.pad(text),
            Self::OtherText(bytes) | Self::Binary(bytes) | Self::Unknown { bytes, .. } => {
                write!(f, "{}", bytes.escape_ascii())
            }
            integer => integer.as_integer().unwrap_or_default().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for value in [
            Value::I8(-1),
            Value::U8(255),
            Value::I16(i16::MIN),
            Value::U16(u16::MAX),
            Value::I32(i32::MIN),
            Value::U32(u32::MAX),
            Value::I64(i64::MIN),
            Value::U64(u64::MAX),
            Value::F32(1.5),
            Value::F64(-2.25),
            Value::Text(String::new()),
            Value::Text("été ".repeat(100)),
            Value::OtherText(vec![0xe9, b't', 0xe9]),
            Value::Binary(vec![0, 1, 2, 0]),
        ] {
            let (kind, bytes) = value.encode();
            assert_eq!(Value::decode(kind, &bytes), value);
        }
    }

    #[test]
    fn odd_sizes_and_types_are_kept() {
        let odd = Value::decode(sys::CMAP_VALUETYPE_UINT32, &[1, 2, 3]);
        assert_eq!(
            odd,
            Value::Unknown {
                kind: sys::CMAP_VALUETYPE_UINT32,
                bytes: vec![1, 2, 3]
            }
        );
        assert_eq!(
            Value::decode(99, b"x"),
            Value::Unknown {
                kind: 99,
                bytes: b"x".to_vec()
            }
        );
        assert_eq!(
            Value::decode(sys::CMAP_VALUETYPE_STRING, b""),
            Value::from("")
        );
        assert_eq!(
            Value::decode(sys::CMAP_VALUETYPE_STRING, b"a\0"),
            Value::from("a")
        );
    }

    #[test]
    fn conversions_refuse_what_does_not_fit() {
        assert!(u8::try_from(Value::I32(-1)).is_err());
        assert!(u8::try_from(Value::from("1")).is_err());
        assert!(String::try_from(Value::U8(1)).is_err());
        assert!(Value::from("a\0b").check().is_err());
        assert!(Value::from(vec![0]).check().is_ok());
    }
}
