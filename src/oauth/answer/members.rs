//! The members of a token answer's body, whatever it is made of: a JSON object, or a form (GitHub, row
//! 106). Pure.
//!
//! A body that breaks off or cannot be trusted as a whole still gives what was read before the break:
//! a rotated refresh token in it is the only good one there is (I1).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::oauth::depth;

/// The deepest nesting taken for an answer (row 96).
const DEEPEST: usize = 32;

/// Members in order, repeated names included: last-wins is no rule for tokens (row 97).
#[derive(Debug, Default)]
pub(super) struct Members {
    list: Vec<(String, Value)>,
    /// The whole body was understood; otherwise it broke off, or is too deep.
    pub(super) complete: bool,
}

impl Members {
    /// Reads a body; `None` if it is neither an object nor a form.
    pub(super) fn read(body: &[u8]) -> Option<Members> {
        if body.starts_with(b"{") {
            return Some(Self::json(body));
        }
        let text = std::str::from_utf8(body).ok()?;
        // A form has neither blanks nor angle brackets, so a page or a sentence is never one.
        if text.contains(|c: char| c.is_whitespace() || c == '<') {
            return None;
        }
        let pairs = url::form_urlencoded::parse(body);
        let list: Vec<_> =
            pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
        let telling = ["access_token", "refresh_token", "error"];
        list.iter()
            .any(|(name, _)| telling.contains(&name.as_str()))
            .then_some(Members { list, complete: true })
    }

    /// The members of the first object in a body that is something else: a page with warnings in front,
    /// a list, a guard against scripts. Never complete.
    pub(super) fn within(body: &[u8]) -> Members {
        let start = body.iter().position(|byte| *byte == b'{').unwrap_or(body.len());
        Members { complete: false, ..Self::json(&body[start..]) }
    }

    fn json(body: &[u8]) -> Members {
        let mut list = Vec::new();
        let mut from = serde_json::Deserializer::from_slice(body);
        let whole = Collect(&mut list).deserialize(&mut from).and_then(|()| from.end());
        Members { list, complete: whole.is_ok() && !depth::exceeds(body, DEEPEST) }
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.list.iter().filter(move |(n, _)| n == name).map(|(_, value)| value)
    }

    /// The value of a member that occurs exactly once.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut found = self.all(name);
        found.next().filter(|_| found.next().is_none())
    }

    /// The same, if it is a string with something in it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether a member occurs more than once.
    pub(super) fn repeats(&self, name: &str) -> bool {
        self.all(name).nth(1).is_some()
    }

    /// The value of a member that may be repeated, as long as it does not contradict itself.
    pub(super) fn agreed(&self, name: &str) -> Option<&Value> {
        let first = self.all(name).next()?;
        self.all(name).all(|value| value == first).then_some(first)
    }

    /// All members that occur exactly once.
    pub(super) fn single(&self) -> Map<String, Value> {
        let single = self.list.iter().filter(|(name, _)| !self.repeats(name));
        single.cloned().collect()
    }
}

/// Reads an object member by member into a list, which keeps what came before an error.
struct Collect<'a>(&'a mut Vec<(String, Value)>);

impl<'de> DeserializeSeed<'de> for Collect<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            // A value of good form that is none (1e400, half a surrogate pair) counts as nothing, and does
            // not take the others with it.
            self.0.push((name, serde_json::from_str(value.get()).unwrap_or_default()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Row 96.
    #[test]
    fn the_depth_of_an_answer_is_bounded() {
        let nested = |levels: usize| format!("{}{}", r#"{"a":"#.repeat(levels), "1") + &"}".repeat(levels);
        assert!(Members::json(nested(32).as_bytes()).complete);
        assert!(!Members::json(nested(33).as_bytes()).complete);
        assert!(!Members::json(nested(10_000).as_bytes()).complete);
    }

    #[test]
    fn what_stands_before_a_break_is_kept() {
        let read = Members::read(br#"{"refresh_token":"r","n":1,"access_token":"a"#).unwrap();
        assert!(!read.complete);
        assert_eq!((read.text("refresh_token"), read.text("access_token")), (Some("r"), None));
    }

    #[test]
    fn repeated_members_are_seen() {
        let read = Members::read(br#"{"a":1,"a":2,"b":1,"b":1,"c":1}"#).unwrap();
        assert_eq!((read.get("a"), read.agreed("a"), read.repeats("a")), (None, None, true));
        assert_eq!((read.get("b"), read.agreed("b").is_some()), (None, true));
        assert!(read.get("c").is_some() && !read.repeats("c") && !read.repeats("d"));
    }

    #[test]
    fn only_a_form_is_a_form() {
        for form in ["access_token=a", "error=x&a=b+c", "a&refresh_token=r"] {
            assert!(Members::read(form.as_bytes()).is_some_and(|read| read.complete), "{form}");
        }
        for other in ["", "null", "[]", "<a href=?x&error=1>", "see a&error=1", "error", "plain=text"] {
            assert_eq!(Members::read(other.as_bytes()).is_some(), other == "error", "{other}");
        }
    }
}
