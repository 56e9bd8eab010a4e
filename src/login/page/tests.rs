use sha2::{Digest, Sha256};
use snapbox::{Assert, Data};

use super::*;

const STYLE: &str = include_str!("style.css");

/// Every document with the name of its recorded copy in `tests/pages`.
fn documents() -> Vec<(&'static str, &'static str)> {
    vec![
        ("signed-in", SIGNED_IN),
        ("denied", DENIED),
        ("failed", FAILED),
        ("pending", PENDING),
        ("400-not-ours", NOT_OURS),
        ("403-foreign", FOREIGN),
        ("404-nothing", NOTHING),
        ("405-method", METHOD),
        ("409-taken", TAKEN),
        ("503-prefetch", PREFETCH),
    ]
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|part| {
            let word =
                part.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
            (0..4).map(move |i| match i <= part.len() {
                true => char::from(DIGITS[(word >> (18 - 6 * i)) as usize & 63]),
                false => '=',
            })
        })
        .collect()
}

/// The documents are looked at as files, by people; this keeps the files true. Recorded anew with
/// `SNAPSHOTS=overwrite`.
#[test]
fn the_documents_are_the_recorded_ones() {
    let assert = Assert::new().action_env("SNAPSHOTS");
    for (name, html) in documents() {
        let path = format!("{}/tests/pages/{name}.html", env!("CARGO_MANIFEST_DIR"));
        assert.eq(Data::text(html), Data::read_from(path.as_ref(), None).raw());
    }
}

#[test]
fn the_policy_allows_this_stylesheet_and_nothing_else() {
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"Ma"), "TWE=");
    let hash = base64(&Sha256::digest(STYLE));
    assert!(POLICY.contains(&format!("style-src 'sha256-{hash}'")), "style.css changed; its hash is {hash}");
    for (name, html) in documents() {
        assert_eq!(html.matches(&format!("<style>{STYLE}</style>")).count(), 1, "{name}");
    }
}

#[test]
fn a_page_asks_for_nothing_and_runs_nothing() {
    for (name, html) in documents() {
        for forbidden in [
            "<script", "http:", "https:", "url(", "@import", "<img", "<a ", "<form", " on", "style=",
            "refresh",
        ] {
            // The blank before an attribute such as `onload`, as opposed to the word "on".
            let found = html.match_indices(forbidden).any(|(at, _)| match forbidden {
                " on" => html[at + 3..]
                    .split(['=', ' '])
                    .next()
                    .is_some_and(|w| html[at + 3 + w.len()..].starts_with('=')),
                _ => true,
            });
            assert!(!found, "{name} contains {forbidden}");
        }
        assert_eq!(html.matches("<link ").count(), 1, "{name}");
        assert!(html.contains(r#"<link rel="icon" href="data:,">"#), "{name}");
    }
}

/// I8: only one document says that it worked.
#[test]
fn one_page_alone_says_signed_in() {
    for (name, html) in documents() {
        assert_eq!(html.contains("You’re signed in"), name == "signed-in", "{name}");
    }
}

#[test]
fn every_page_is_accessible_in_the_basics() {
    for (name, html) in documents() {
        for needed in
            ["lang=\"en\"", "name=\"viewport\"", "<main>", "<h1>", "aria-hidden=\"true\"", "<title>"]
        {
            assert_eq!(html.matches(needed).count(), 1, "{name}: {needed}");
        }
    }
    assert!(STYLE.contains("prefers-color-scheme:dark") && STYLE.contains("prefers-reduced-motion"));
}
