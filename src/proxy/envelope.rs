//! A look at a JSON-RPC message without reading it: which kind it is, its id, its method.
//!
//! Members are kept as the text they are. Nothing is parsed into a tree and written again, because that
//! loses what JSON libraries cannot hold (1e400, 23-digit ids, lone surrogates, key order) and costs
//! most of a proxy's time (T-09). A derived `Deserialize` is no help here: it accepts arrays as structs,
//! takes `"id":null` for no id, and refuses texts that are valid JSON (a member twice, a surrogate
//! alone), which must be passed on all the same.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a message that a proxy looks at, as they stand in the text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `id`; `Some("null")` where it is null. Of a member that comes twice the last one counts, as in
    /// JavaScript.
    pub id: Option<&'a str>,
    /// `method`, as JSON text.
    pub method: Option<&'a str>,
    /// `params`.
    pub params: Option<&'a str>,
    /// `result`.
    pub result: Option<&'a str>,
    /// `error`.
    pub error: Option<&'a str>,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A request: wants exactly one answer.
    Request {
        /// The id as it stands in the text.
        id: &'a str,
        /// The method.
        method: Cow<'a, str>,
    },
    /// A notification: wants none.
    Notification {
        /// The method.
        method: Cow<'a, str>,
    },
    /// An answer. Its id may be `null`: that of an error which its sender could not attribute.
    Answer {
        /// The id as it stands in the text.
        id: &'a str,
    },
    /// Valid JSON, but no JSON-RPC message.
    Odd,
}

/// Why a text has no envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON at all: JSON-RPC's -32700.
    NotJson,
    /// JSON, but an array.
    Array,
    /// JSON, but neither object nor array: JSON-RPC's -32600.
    NotObject,
}

impl<'a> Envelope<'a> {
    /// Looks at one message.
    ///
    /// # Errors
    /// What the text is instead of an object.
    pub fn peek(text: &'a [u8]) -> Result<Self, Fault> {
        // JSON-RPC is UTF-8 (T-06).
        let text = std::str::from_utf8(text).map_err(|_| Fault::NotJson)?;
        let other = match text.trim_ascii_start().as_bytes().first() {
            Some(b'{') => None,
            Some(b'[') => Some(Fault::Array),
            _ => Some(Fault::NotObject),
        };
        if let Some(fault) = other {
            return Err(serde_json::from_str::<IgnoredAny>(text).map_or(Fault::NotJson, |_| fault));
        }
        let mut envelope = Envelope::default();
        let mut json = serde_json::Deserializer::from_str(text);
        let read = Fill(&mut envelope).deserialize(&mut json).and_then(|()| json.end());
        read.map(|()| envelope).map_err(|_| Fault::NotJson)
    }

    /// What can be seen in the first bytes of a message that is too long to keep. A `result` or `error`
    /// that goes on beyond them is empty.
    pub fn peek_head(head: &'a [u8]) -> Self {
        let valid = match std::str::from_utf8(head) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
        };
        let mut envelope = Envelope::default();
        let _ = Fill(&mut envelope).deserialize(&mut serde_json::Deserializer::from_str(valid));
        // A number that touches the end may go on beyond it.
        if envelope
            .id
            .is_some_and(|id| id.as_bytes().as_ptr_range().end == valid.as_bytes().as_ptr_range().end)
        {
            envelope.id = None;
        }
        envelope
    }

    /// What the message is.
    pub fn kind(&self) -> Kind<'a> {
        let real = |id: &&str| id.starts_with(['"', '-']) || id.starts_with(|c: char| c.is_ascii_digit());
        match (self.id, self.method) {
            (Some(id), Some(method)) if real(&id) && method.starts_with('"') => {
                Kind::Request { id, method: string(method) }
            }
            (None, Some(method)) if method.starts_with('"') => Kind::Notification { method: string(method) },
            (Some(id), None)
                if (real(&id) || id == "null") && (self.result.is_some() || self.error.is_some()) =>
            {
                Kind::Answer { id }
            }
            _ => Kind::Odd,
        }
    }

    /// The id if it is one that may be answered to.
    pub fn usable_id(&self) -> Option<&'a str> {
        self.id.filter(|id| id.starts_with(['"', '-']) || id.starts_with(|c: char| c.is_ascii_digit()))
    }
}

/// The messages of a batch, each as its own text.
///
/// # Errors
/// If the text is not a JSON array.
pub fn members(text: &[u8]) -> Result<Vec<&str>, Fault> {
    let members: Vec<&RawValue> = serde_json::from_slice(text).map_err(|_| Fault::NotJson)?;
    Ok(members.into_iter().map(RawValue::get).collect())
}

/// One member of an object, as JSON text.
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    struct Find<'n>(&'n str);
    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<&'de RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut found = None;
            while let Some(Name(is_it)) = map.next_key_seed(Named(self.0))? {
                if is_it {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Find(name)).ok()?.map(RawValue::get)
}

/// A JSON string's value. A text that no Rust string can hold (a surrogate alone) stays as it is.
pub fn string(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned),
    }
}

/// The one spelling of an id under which it is remembered: a server that reads and writes JSON may
/// answer `"a\/b"` with `"a/b"`, and `1.0` with `1`. What goes out is never this, but the text as it came.
pub fn id_key(id: &str) -> Cow<'_, str> {
    if id.starts_with('"') {
        if !id.contains('\\') {
            return Cow::Borrowed(id);
        }
        let value = serde_json::from_str::<String>(id).ok();
        return value
            .and_then(|value| serde_json::to_string(&value).ok())
            .map_or(Cow::Borrowed(id), Cow::Owned);
    }
    if !id.contains(['.', 'e', 'E']) {
        return Cow::Borrowed(id);
    }
    match id.parse::<f64>() {
        // Beyond 2^53 neighbours would fall together.
        Ok(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
            Cow::Owned(format!("{number:.0}"))
        }
        _ => Cow::Borrowed(id),
    }
}

/// Fills an envelope member by member, so that what was seen before a break is kept.
struct Fill<'e, 'a>(&'e mut Envelope<'a>);

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }
    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(field) = map.next_key()? {
            let is_answer = matches!(field, Field::Result | Field::Error);
            let slot = match field {
                Field::Id => &mut self.0.id,
                Field::Method => &mut self.0.method,
                Field::Params => &mut self.0.params,
                Field::Result => &mut self.0.result,
                Field::Error => &mut self.0.error,
                Field::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if is_answer {
                // Even if the text ends in the middle of the value, this is known to be an answer.
                *slot = Some("");
            }
            *slot = Some(map.next_value::<&RawValue>()?.get());
        }
        Ok(())
    }
}

enum Field {
    Id,
    Method,
    Params,
    Result,
    Error,
    Other,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_bytes<E>(self, name: &[u8]) -> Result<Field, E> {
                Ok(match name {
                    b"id" => Field::Id,
                    b"method" => Field::Method,
                    b"params" => Field::Params,
                    b"result" => Field::Result,
                    b"error" => Field::Error,
                    _ => Field::Other,
                })
            }
        }
        // As bytes: a name with a surrogate alone is no `str`, but valid JSON.
        deserializer.deserialize_bytes(Key)
    }
}

/// Whether a member name is the one looked for.
struct Name(bool);
struct Named<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Name;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = Name;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }
    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
        Ok(Name(name == self.0.as_bytes()))
    }
}
