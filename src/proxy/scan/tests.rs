use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::*;

/// What a full reading says.
fn is_object(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text);
    text.is_ok_and(|text| {
        text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{')
            && serde_json::from_str::<IgnoredAny>(text).is_ok()
    })
}

/// Reads in pieces; at the end of each it must be possible to close what is safe.
fn reads(text: &[u8], size: usize) -> (bool, Scan) {
    let mut scan = Scan::default();
    let mut sound = true;
    for piece in text.chunks(size) {
        sound = sound && scan.read(piece).is_ok();
        let safe = usize::try_from(scan.safe()).unwrap();
        if scan.open.len > 0 {
            let mut closed = text[..safe].to_vec();
            scan.close(&mut closed);
            closed.push(b'}');
            let text = String::from_utf8(closed).expect("closed in the middle of a character");
            assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok(), "cannot be closed: {text}");
            if sound && text.is_ascii() {
                assert!(scan.read - scan.safe() <= 12, "much held back: {text}");
            }
        }
        if !sound {
            break;
        }
    }
    (sound && scan.is_complete(), scan)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::String),
        "[\\PC\n\"\\\\]{0,80}".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(prop_oneof![Just("result".to_owned()), any::<String>()], value(), 0..4)
        .prop_map(|map| json!(map))
}

proptest! {
    /// P4: what is JSON passes, in whatever pieces it comes.
    #[test]
    fn every_object_is_read_and_can_be_closed_anywhere(
        value in object(), size in 1usize..40, pretty: bool,
    ) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let (complete, scan) = reads(text.as_bytes(), size);
        prop_assert!(complete);
        let place = scan.result().zip(scan.result_end());
        let found = place.map(|(start, end)| &text[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()]);
        let found = found.map(|found| serde_json::from_str::<Value>(found).unwrap());
        // Numbers change when they are read.
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(found.as_ref(), value.get("result").filter(|result| result.is_object()));
    }

    /// P4: what is not does not, and the line can be closed all the same.
    #[test]
    fn a_damaged_text_is_judged_as_by_a_full_reading(
        value in object(), at: prop::sample::Index, byte: u8, cut: bool, size in 1usize..40,
    ) {
        let mut text = serde_json::to_vec(&value).unwrap();
        let at = at.index(text.len());
        if cut { text.truncate(at) } else { text[at] = byte }
        prop_assert_eq!(reads(&text, size).0, is_object(&text), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn any_text_of_json_s_own_letters_is_judged_as_by_a_full_reading(
        text in r#"[{}\[\]",:0-9eE+\-.\\u dtrueé]{0,24}"#, size in 1usize..8,
    ) {
        let text = format!("{{\"a\":{text}");
        prop_assert_eq!(reads(text.as_bytes(), size).0, is_object(text.as_bytes()), "{}", text);
    }
}

#[test]
fn the_traps_are_avoided() {
    for (text, sound) in [
        (r#"{"a":"\ud83d\ude00"}"#, true),
        (r#"{"a":"\ud83d"}"#, true),
        (r#"{"a":"\ud83d\ud83d\ud83d\n"}"#, true),
        (r#"{"a":1e400,"b":123456789012345678901234567890,"c":-0.0E+1}"#, true),
        (r#"{"a":01}"#, false),
        (r#"{"a":1.}"#, false),
        (r#"{"a":+1}"#, false),
        (r#"{"a":nul}"#, false),
        (r#"{"a":[1,]}"#, false),
        (r#"{"a":1,}"#, false),
        (r#"{"a" 1}"#, false),
        (r#"{"a":1}}"#, false),
        (r#"{"a":[1}"#, false),
        (r#"{"a":"\x"}"#, false),
        (r#"{"a":"\u12g4"}"#, false),
        ("{\"a\":\"\n\"}", false),
        ("[]", false),
        ("1", false),
        ("", false),
    ] {
        for size in 1..=text.len().max(1) {
            assert_eq!(reads(text.as_bytes(), size).0, sound, "{text} in pieces of {size}");
        }
    }
    assert!(!reads(b"{\"a\":\"\xff\"}", 3).0);
    assert!(!reads(b"{\"a\":\"\xc3\"}", 3).0);
}

/// The name must be exactly `result`, at the outermost level, the first time it comes, and an object.
#[test]
fn the_result_is_found_where_it_is() {
    for (text, found) in [
        (r#"{"id":1,"result":{"result":{}},"x":1}"#, Some(r#"{"result":{}}"#)),
        (r#"{"x":{"result":{}},"result" : {"a":[]} }"#, Some(r#"{"a":[]}"#)),
        (r#"{"result":1}"#, None),
        (r#"{"result":[{}]}"#, None),
        (r#"{"results":{}}"#, None),
        (r#"{"resul":{}}"#, None),
        (r#"{"resultresult":{}}"#, None),
        (r#"{"x":"result","y":{}}"#, None),
        (r#"{"result":{},"result":{"b":1}}"#, Some("{}")),
    ] {
        for size in 1..=text.len() {
            let (_, scan) = reads(text.as_bytes(), size);
            let place = scan.result().zip(scan.result_end());
            let place = place.map(|(a, b)| &text[usize::try_from(a).unwrap()..usize::try_from(b).unwrap()]);
            assert_eq!(place, found, "{text} in pieces of {size}");
        }
    }
}

/// P5: what is kept does not grow with what is read.
#[test]
fn nothing_grows() {
    let mut scan = Scan::default();
    scan.read(br#"{"result":{"a":""#).unwrap();
    for piece in [&br"\ud83d"[..], b"plain", "é".as_bytes(), br"\\"] {
        for _ in 0..10_000 {
            scan.read(piece).unwrap();
            assert!(scan.read - scan.safe() <= 12);
        }
    }
    scan.read(b"\",\"n\":1").unwrap();
    for _ in 0..100_000 {
        scan.read(b"0123456789").unwrap();
        assert_eq!(scan.read, scan.safe());
    }
    assert!(scan.read(b",").is_ok());
    assert!(scan.read(&[b"\"a\":".as_slice(), &vec![b'['; DEEPEST]].concat()).is_err());
    assert!(scan.open.words.len() <= DEEPEST / 64);
}
