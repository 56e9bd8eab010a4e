//! JSON texts taken apart and put together without being read as values, so that what is left in stays byte
//! for byte as it came (T-09).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object, as JSON text. Of a name that comes twice the last one counts, as in JavaScript.
/// `None` if the text is no object.
pub(super) fn entries(object: &str) -> Option<BTreeMap<String, &str>> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = BTreeMap<String, &'de str>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut entries = BTreeMap::new();
            while let Some(Name(name)) = map.next_key()? {
                entries.insert(name, map.next_value::<&RawValue>()?.get());
            }
            Ok(entries)
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Entries).ok()
}

/// The elements of an array, as JSON text. `None` if the text is no array.
pub(super) fn elements(array: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// `text` without some elements of an array in it. `elements` are all of the array's, as slices of `text`,
/// each with whether it stays.
pub(super) fn without(text: &str, elements: &[(&str, bool)]) -> String {
    let start = |part: &str| part.as_ptr().addr() - text.as_ptr().addr();
    let end = |part: &str| start(part) + part.len();
    let mut left = String::with_capacity(text.len());
    // What lies before this is copied or left out.
    let mut done = 0;
    let mut before: Option<&str> = None;
    for (index, (element, stays)) in elements.iter().enumerate() {
        if *stays {
            before = Some(element);
            continue;
        }
        // With an element goes the comma before it, or, as long as none stays, the one after it.
        let next = elements.get(index + 1).filter(|_| before.is_none());
        left.push_str(&text[done..before.map_or(start(element), end).max(done)]);
        done = next.map_or(end(element), |(next, _)| start(next));
    }
    left.push_str(&text[done..]);
    left
}

/// A member name. As bytes, because one with a surrogate alone is no `str`, but valid JSON.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Name;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
                Ok(Name(String::from_utf8_lossy(name).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of what goes, among elements with all kinds of space around them.
    #[test]
    fn what_goes_takes_one_comma_along() {
        let text = "{\"a\": [ 1e400 ,\n{\"x\":[]}, \"é\\ud800\" ,4 ] , \"b\":[1,2]}";
        let array = &text[text.find('[').unwrap()..=text.find("4 ]").unwrap() + 2];
        let all = elements(array).unwrap();
        assert_eq!(all.len(), 4);
        for choice in 0..16 {
            let marked: Vec<_> = all.iter().enumerate().map(|(n, e)| (*e, choice >> n & 1 == 1)).collect();
            let left = without(text, &marked);
            let stay: Vec<&str> = marked.iter().filter(|(_, stays)| *stays).map(|(e, _)| *e).collect();
            let members = entries(&left).unwrap();
            assert_eq!(elements(members["a"]).unwrap(), stay, "{left}");
            assert_eq!(members["b"], "[1,2]", "{left}");
        }
        let marked: Vec<_> = all.iter().map(|element| (*element, true)).collect();
        assert_eq!(without(text, &marked), text);
    }

    #[test]
    fn of_a_member_twice_the_last_one_counts() {
        let all = entries(r#"{"a":1,"\u0061":2,"\ud800":3}"#).unwrap();
        assert_eq!((all["a"], all.len()), ("2", 2));
        assert!(entries("[1]").is_none() && elements("{}").is_none() && entries("{").is_none());
    }
}
