//! Damage by seed: the same number gives the same damage on each machine.

use serde_json::Value;

/// SplitMix64 (Steele, Lea, Flood 2014): a few lines, and good enough to choose where to cut.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % (end.max(1) as u64)).unwrap()
    }

    pub fn choose<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

const TAILS: [&[u8]; 7] = [b" x", b"\0", b"}", b"\r\n\r\n0", b",", b"\xff", b"{}"];
const HEADS: [&[u8]; 6] = [b")]}',\n", b"\0", b"<!-- -->", b",", b"while(1);", b"\xff\xfe"];

/// Damages bytes, whatever they are; says how.
pub fn bytes(text: &[u8], dice: &mut Dice) -> (&'static str, Vec<u8>) {
    let mut out = text.to_vec();
    let at = dice.below(out.len());
    match dice.below(12) {
        0 | 1 => {
            out.truncate(at);
            ("cut off", out)
        }
        2 if !out.is_empty() => {
            out[at] ^= 1 << dice.below(8);
            ("one bit flipped", out)
        }
        3 => {
            out.insert(at, u8::try_from(dice.below(256)).unwrap());
            ("one byte more", out)
        }
        4 if !out.is_empty() => {
            out.remove(at);
            ("one byte less", out)
        }
        5 => ("after a BOM", [b"\xef\xbb\xbf", text].concat()),
        6 => {
            let text = String::from_utf8_lossy(text);
            ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect())
        }
        7 => {
            let tail = TAILS[dice.below(TAILS.len())];
            ("something behind it", [text, tail].concat())
        }
        8 => {
            let head = HEADS[dice.below(HEADS.len())];
            ("something before it", [head, text].concat())
        }
        9 => ("twice", [text, text].concat()),
        10 => ("in single quotes", text.iter().map(|b| if *b == b'"' { b'\'' } else { *b }).collect()),
        _ => {
            let from = dice.below(out.len());
            let part: Vec<u8> = out[from..].iter().take(24).copied().collect();
            out.splice(at..at, part);
            ("a part repeated elsewhere", out)
        }
    }
}

/// Damages one member of a JSON object, if the text is one; says how.
pub fn member(text: &[u8], names: &[&str], dice: &mut Dice) -> Option<(&'static str, Vec<u8>)> {
    let Ok(Value::Object(object)) = serde_json::from_slice(text) else { return None };
    let mut list: Vec<(String, String)> =
        object.into_iter().map(|(name, value)| (name, value.to_string())).collect();
    let known: Vec<usize> = (0..list.len()).filter(|at| names.contains(&list[*at].0.as_str())).collect();
    let at = if known.is_empty() { dice.below(list.len()) } else { *dice.choose(&known) };
    if list.is_empty() {
        return None;
    }
    let (how, mut whole) = match dice.below(6) {
        0 | 1 => {
            list[at].1 = dice.choose(&odd()).clone();
            ("a value of another kind", object_of(&list))
        }
        2 => {
            let again = list[at].clone();
            list.insert(dice.below(list.len()), again);
            ("a member repeated", object_of(&list))
        }
        3 => {
            let again = (list[at].0.clone(), "\"another\"".to_owned());
            list.push(again);
            ("a member contradicted", object_of(&list))
        }
        4 => {
            list.remove(at);
            ("a member missing", object_of(&list))
        }
        _ => {
            list[at].0 = list[at].0.to_ascii_uppercase();
            ("a name in capitals", object_of(&list))
        }
    };
    if dice.below(8) == 0 {
        whole = format!("[{whole}]");
    }
    Some((how, whole.into_bytes()))
}

fn object_of(list: &[(String, String)]) -> String {
    let members: Vec<_> = list.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// Values that nobody expects.
fn odd() -> Vec<String> {
    let plain = [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "3600.7",
        "1e300",
        "9223372036854775808",
        "\"\"",
        "\" \"",
        "\"3600\"",
        "\"soon\"",
        "[]",
        "{}",
        "[1,\"a\"]",
        "{\"a\":{}}",
        "\"a b\"",
        "\"a\\r\\nSet-Cookie: x=y\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\u202e\\u001b[31m\"",
        "\"javascript:alert(1)\"",
        "\"http://evil.example/\"",
        "\"//evil\"",
        "\"<script>alert(1)</script>\"",
        "NaN",
        "01",
        "'a'",
        "\"mac\"",
        "\"invalid_grant\"",
    ];
    let mut odd: Vec<String> = plain.iter().map(|text| (*text).to_owned()).collect();
    odd.push(format!("{}1{}", "[".repeat(40), "]".repeat(40)));
    odd.push(format!("{}1{}", "[".repeat(5000), "]".repeat(5000)));
    odd.push(format!("\"{}\"", "x".repeat(70 * 1024)));
    odd
}
