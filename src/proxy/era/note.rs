//! The note about a server's era, as it is kept: a small JSON object that goes stale.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::Known;
use super::verdict::is_modern;

/// How long a note holds. A server that learns the newer era, or gives the older one up, is noticed by then at
/// the latest: some of these changes look like nothing from outside.
const HOLDS: Duration = Duration::from_secs(7 * 24 * 3600);
/// The form of the note.
const FORM: u8 = 1;
/// The longest note that is looked at, in bytes.
const LONGEST: usize = 4096;

#[derive(Serialize, Deserialize)]
struct Note {
    form: u8,
    /// The revision that a server without sessions speaks; none for one that knows only sessions.
    speaks: Option<String>,
    /// Unix time in seconds.
    until: u64,
}

/// The note as a text.
pub(super) fn encode(known: &Known, now: SystemTime) -> Vec<u8> {
    let speaks = match known {
        Known::Legacy => None,
        Known::Modern(version) => Some(version.clone()),
    };
    serde_json::to_vec(&Note { form: FORM, speaks, until: seconds(now + HOLDS) }).unwrap_or_default()
}

/// What a note says. One that is damaged, stale, or of a time that cannot be says nothing.
pub(super) fn decode(text: &[u8], now: SystemTime) -> Option<Known> {
    let note: Note = serde_json::from_slice(text.get(..LONGEST).unwrap_or(text)).ok()?;
    let fresh = (seconds(now)..=seconds(now + HOLDS)).contains(&note.until);
    match note.speaks {
        _ if !fresh || note.form != FORM => None,
        None => Some(Known::Legacy),
        Some(version) => is_modern(&version).then_some(Known::Modern(version)),
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    // T-81.
    #[test]
    fn a_note_holds_for_a_while() {
        let now = SystemTime::now();
        for known in [Known::Legacy, Known::Modern("2026-07-28".to_owned())] {
            let text = encode(&known, now);
            assert_eq!(decode(&text, now), Some(known.clone()));
            assert_eq!(decode(&text, now + HOLDS), Some(known));
            assert_eq!(decode(&text, now + HOLDS + Duration::from_secs(1)), None);
            // A clock that was set back must not make it hold for years.
            assert_eq!(decode(&text, now - Duration::from_secs(3600)), None);
        }
    }

    #[test]
    fn a_damaged_note_says_nothing() {
        let (now, until) = (SystemTime::now(), seconds(SystemTime::now()) + 60);
        let good = format!(r#"{{"form":1,"speaks":"2026-07-28","until":{until}}}"#);
        assert!(decode(good.as_bytes(), now).is_some());
        for bad in [
            "",
            "null",
            "{}",
            &good[..good.len() - 1],
            &format!(r#"{{"form":2,"speaks":"2026-07-28","until":{until}}}"#),
            &format!(r#"{{"form":1,"speaks":"2025-11-25","until":{until}}}"#),
            &format!(r#"{{"form":1,"speaks":"x\r\ny","until":{until}}}"#),
            &format!(r#"{good}{}"#, " ".repeat(LONGEST)).replace('}', "").to_owned(),
        ] {
            assert_eq!(decode(bad.as_bytes(), now), None, "{bad:.80}");
        }
    }
}
