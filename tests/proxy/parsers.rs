//! The pure parsers, with whatever comes.

use bytes::BufMut;
use chipp_auth::proxy::bound::{Bound, Exceeded};
use chipp_auth::proxy::envelope::{Envelope, Fault, Kind, id_key, member, members};
use chipp_auth::proxy::lines::{Line, Lines};
use proptest::prelude::*;

/// Cuts `bytes` at the given places.
fn chunks<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn lines_of<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Vec<Line> {
    let mut lines = Lines::with_limit(limit);
    let mut found = Vec::new();
    for chunk in chunks {
        lines.buffer().put_slice(chunk);
        while let Some(line) = lines.next() {
            found.push(line);
        }
    }
    found.extend(lines.rest());
    found
}

fn exceeds<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> bool {
    let mut bound = Bound::new(limit);
    chunks.into_iter().any(|chunk| bound.observe(chunk) == Err(Exceeded))
}

/// Bytes with many line ends, colons and the like.
fn liney() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => Just(b'\n'), 2 => Just(b'\r'), 1 => Just(b':'), 1 => Just(0xef), 1 => Just(0xbb), 1 => Just(0xbf), 6 => any::<u8>()];
    prop::collection::vec(byte, 0..200)
}

/// JSON texts as servers and hosts may write them, without what `Value` cannot hold.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    let name =
        prop_oneof![Just("id"), Just("method"), Just("params"), Just("result"), Just("error"), Just("x")];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// However the bytes are cut, the lines are the same.
    #[test]
    fn any_chunking_gives_the_same_lines(bytes in liney(), cuts in prop::collection::vec(any::<usize>(), 0..20), limit in 1usize..40) {
        let whole = lines_of([&bytes[..]], limit);
        prop_assert_eq!(&lines_of(chunks(&bytes, &cuts), limit), &whole);
        for line in whole {
            match line {
                Line::Text(text) => prop_assert!(!text.contains(&b'\n') && text.len() <= limit && !text.trim_ascii().is_empty()),
                Line::TooLong(head) => prop_assert!(head.len() <= limit),
            }
        }
    }

    /// The lines are those that a simple reading gives.
    #[test]
    fn lines_are_what_stands_between_the_line_ends(bytes in liney()) {
        let bytes = [b"x\n", &bytes[..]].concat();
        let plain: Vec<_> = bytes.split(|b| *b == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.trim_ascii().is_empty())
            .map(|line| Line::Text(line.to_vec().into()))
            .collect();
        prop_assert_eq!(lines_of([&bytes[..]], 1000), plain);
    }

    /// However the stream is cut, the bound is reached or not, and in agreement with a slow count.
    #[test]
    fn the_bound_counts_what_the_parser_keeps(bytes in liney(), cuts in prop::collection::vec(any::<usize>(), 0..20), limit in 0usize..40) {
        let text: Vec<u8> = bytes.clone();
        let (mut most, mut kept) = (0, 0);
        // CRLF and CR are line ends like LF.
        let mut plain = Vec::new();
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'\n' if at > 0 && text[at - 1] == b'\r' => {}
                b'\r' => plain.push(b'\n'),
                other => plain.push(*other),
            }
        }
        for line in plain.split_inclusive(|b| *b == b'\n') {
            match line {
                b"\n" => kept = 0,
                [b':', ..] => {}
                line => kept += line.len(),
            }
            most = most.max(kept);
        }
        prop_assert_eq!(exceeds([&bytes[..]], limit), most > limit);
        prop_assert_eq!(exceeds(chunks(&bytes, &cuts), limit), most > limit);
    }

    /// The envelope holds the members as they stand, and sees what `Value` sees.
    #[test]
    fn the_envelope_agrees_with_a_full_reading(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let read = |part: Option<&str>| part.map(|part| serde_json::from_str::<serde_json::Value>(part).unwrap());
        match (Envelope::peek(text.as_bytes()), &value) {
            (Ok(envelope), serde_json::Value::Object(object)) => {
                prop_assert_eq!(read(envelope.id), object.get("id").cloned());
                prop_assert_eq!(read(envelope.method), object.get("method").cloned());
                prop_assert_eq!(read(envelope.params), object.get("params").cloned());
                prop_assert_eq!(read(envelope.result), object.get("result").cloned());
                prop_assert_eq!(read(envelope.error), object.get("error").cloned());
                prop_assert_eq!(read(member(&text, "x")), object.get("x").cloned());
                if let Kind::Request { id, .. } = envelope.kind() {
                    prop_assert!(object["id"].is_string() || object["id"].is_number(), "{id}");
                    prop_assert!(object["method"].is_string());
                }
                // A cut text never gives a wrong id.
                for end in 0..text.len() {
                    let head = Envelope::peek_head(&text.as_bytes()[..end]);
                    prop_assert!(head.id.is_none() || head.id == envelope.id, "{:?}", head);
                }
            }
            (Err(Fault::Array), serde_json::Value::Array(array)) => {
                let read: Vec<serde_json::Value> = members(text.as_bytes()).unwrap().iter().map(|m| serde_json::from_str(m).unwrap()).collect();
                prop_assert_eq!(&read, array);
            }
            (Err(Fault::NotObject), other) => prop_assert!(!other.is_array() && !other.is_object()),
            (got, _) => prop_assert!(false, "{:?} for {}", got, text),
        }
    }

    /// Nothing panics, whatever the bytes.
    #[test]
    fn any_bytes_can_be_looked_at(bytes in prop_oneof![liney(), "[\\[\\]{}\":,a-z0-9. \\\\]{0,40}".prop_map(String::into_bytes)]) {
        let _ = Envelope::peek(&bytes).map(|envelope| envelope.kind().clone());
        let _ = Envelope::peek_head(&bytes).usable_id();
        let _ = members(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (member(&text, "a"), id_key(&text));
    }
}

/// crates.md 9: the traps of a derived `Deserialize`.
#[test]
fn the_traps_are_avoided() {
    assert_eq!(Envelope::peek(br#"["2.0",1,"m"]"#), Err(Fault::Array));
    assert_eq!(Envelope::peek(br#"{"id":null,"error":{}}"#).unwrap().kind(), Kind::Answer { id: "null" });
    assert_eq!(Envelope::peek(br#"{"result":1}"#).unwrap().kind(), Kind::Odd);
    assert_eq!(Envelope::peek(br#"{"id":1,"id":2,"result":1}"#).unwrap().id, Some("2"));
    assert!(matches!(
        Envelope::peek(br#"{"id":1,"method":"\ud800"}"#).unwrap().kind(),
        Kind::Request { id: "1", .. }
    ));
}

/// A number that is cut off may go on.
#[test]
fn an_id_at_the_end_of_a_head_is_not_believed() {
    assert_eq!(Envelope::peek_head(br#"{"id":12"#).id, None);
    assert_eq!(Envelope::peek_head(br#"{"id":12,"#).id, Some("12"));
    assert_eq!(
        Envelope::peek_head("{\"id\":\"é\",\"x\":\"é".as_bytes().split_last().unwrap().1).id,
        Some("\"é\"")
    );
}

#[test]
fn ids_in_different_spellings_have_one_key() {
    for (a, b) in [("1", "1.0"), ("1e2", "100"), (r#""a\/b""#, r#""a/b""#), (r#""\u0061""#, r#""a""#)] {
        assert_eq!(id_key(a), id_key(b));
    }
    for (a, b) in
        [("1", "\"1\""), ("1.5", "1"), ("9007199254740993", "9007199254740992.0"), ("null", "\"null\"")]
    {
        assert_ne!(id_key(a), id_key(b));
    }
}

/// The end of a line does not count, wherever the bytes are cut.
#[test]
fn a_line_as_long_as_the_limit_is_not_too_long() {
    assert_eq!(lines_of([&b"abcd\r"[..], b"\n"], 4), [Line::Text("abcd".into())]);
    assert_eq!(lines_of([&b"abcd"[..], b"\n"], 4), [Line::Text("abcd".into())]);
    assert_eq!(lines_of([&b"abcde"[..], b"\n"], 4), [Line::TooLong("abcd".into())]);
}

/// Row 125: what is too long is let go while it arrives.
#[test]
fn a_line_without_an_end_does_not_fill_the_memory() {
    let mut lines = Lines::with_limit(1000);
    for _ in 0..10_000 {
        lines.buffer().put_slice(&[b'x'; 100]);
        assert_eq!(lines.next(), None);
        assert!(lines.buffer().len() <= 1101);
    }
    lines.buffer().put_slice(b"\nnext\n");
    assert!(matches!(lines.next(), Some(Line::TooLong(head)) if head.len() == 1000));
    assert_eq!(lines.next(), Some(Line::Text("next".into())));
}
