//! Addresses that look like the one a sign-in is for: whatever a person, a configuration or a model types,
//! the stored token goes to the pinned origins and to no other (I7, A-61, F1).

use chipp_auth::error::Name;
use chipp_auth::http;
use chipp_auth::profile::{Choices, Target};
use url::Url;

use crate::kit::{credential, session};

/// What becomes of an address that was typed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Is {
    /// Another way to write Chipp's own origin: it shares the sign-in.
    Chipp,
    /// Another server: another sign-in, and nothing of Chipp's.
    Other,
    /// No address to talk to.
    Refused(Name),
}
use Is::{Chipp, Other, Refused};
const UNSAFE: Is = Refused(Name::UnsafeUrl);
const USAGE: Is = Refused(Name::Usage);

const TYPED: [(&str, Is); 66] = [
    // The same origin by the rules of URLs (WHATWG): case, default port, escapes, slashes, mapped letters.
    ("https://mcp.chipp.ai/mcp/core", Chipp),
    ("https://MCP.Chipp.AI/mcp", Chipp),
    ("HTTPS://mcp.chipp.ai", Chipp),
    ("https://mcp.chipp.ai:443/mcp", Chipp),
    ("https://mcp.chipp.ai:0443/mcp", Chipp),
    ("https://mcp.chipp.ai:/mcp", Chipp),
    ("https://build.chipp.ai/mcp", Chipp),
    ("https://%6dcp.chipp.ai/mcp", Chipp),
    ("https:///mcp.chipp.ai/mcp", Chipp),
    ("https://mcp.chipp.ai\\mcp", Chipp),
    ("https://mcp.chipp.ai\\@evil.example/", Chipp),
    ("https://mcp.chipp.ai/@evil.example/", Chipp),
    ("https://mcp.chipp.ai/../../evil.example", Chipp),
    ("https://mcp.chipp.ai?@evil.example", Chipp),
    ("https://mcp.chipp.ai#@evil.example", Chipp),
    ("https://mcp.ch\tipp.ai/mcp", Chipp),
    ("https://mcp.chipp\n.ai/mcp", Chipp),
    ("  https://mcp.chipp.ai/mcp  ", Chipp),
    ("https://mcp。chipp。ai/mcp", Chipp),
    ("https://ⓜcp.chipp.ai/mcp", Chipp),
    // Other hosts.
    ("https://mcp.chipp.ai./mcp", Other),
    ("https://mcp.chipp.ai../mcp", Other),
    ("https://mcp.chipp.ai.evil.example/mcp", Other),
    ("https://mcp.chipp.ai%2eevil.example/mcp", Other),
    ("https://mcp.chipp.ai。evil.example/mcp", Other),
    ("https://mcp-chipp.ai/mcp", Other),
    ("https://mcpchipp.ai/mcp", Other),
    ("https://xmcp.chipp.ai/mcp", Other),
    ("https://www.mcp.chipp.ai/mcp", Other),
    ("https://chipp.ai/mcp", Other),
    ("https://app.chipp.ai/mcp", Other),
    ("https://mcp.chipp.ai.com/mcp", Other),
    ("https://mcp.chipp.a/mcp", Other),
    ("https://mcp.chipp.aii/mcp", Other),
    ("https://mcp.ch1pp.ai/mcp", Other),
    ("https://rncp.chipp.ai/mcp", Other),
    ("https://mcp.chіpp.ai/mcp", Other),
    ("https://mcp.chípp.ai/mcp", Other),
    ("https://mcp.chipp.aı/mcp", Other),
    ("https://xn--mcp-chipp.ai/mcp", USAGE),
    ("https://mcp_chipp.ai/mcp", Other),
    ("https://mcp.chipp.ai;evil.example/mcp", Other),
    ("https://mcp.chipp.ai,evil.example/mcp", Other),
    ("https://evil.example/https://mcp.chipp.ai/mcp", Other),
    ("https://evil.example?https://mcp.chipp.ai/mcp", Other),
    ("https://evil.example#https://mcp.chipp.ai/mcp", Other),
    ("https://evil.example\\@mcp.chipp.ai/mcp", Other),
    ("https://evil.example/@mcp.chipp.ai/mcp", Other),
    // Other ports.
    ("https://mcp.chipp.ai:8443/mcp", Other),
    ("https://mcp.chipp.ai:80/mcp", Other),
    ("https://mcp.chipp.ai:4430/mcp", Other),
    // Names and passwords in front of the host.
    ("https://mcp.chipp.ai@evil.example/mcp", UNSAFE),
    ("https://mcp.chipp.ai:443@evil.example/mcp", UNSAFE),
    ("https://mcp.chipp.ai%2f@evil.example/mcp", UNSAFE),
    ("https://evil.example@mcp.chipp.ai/mcp", UNSAFE),
    ("https://u:p@mcp.chipp.ai/mcp", UNSAFE),
    // Other schemes.
    ("http://mcp.chipp.ai/mcp", UNSAFE),
    ("http://mcp.chipp.ai:443/mcp", UNSAFE),
    ("wss://mcp.chipp.ai/mcp", UNSAFE),
    ("ftp://mcp.chipp.ai/mcp", UNSAFE),
    ("file://mcp.chipp.ai/mcp", UNSAFE),
    ("javascript://mcp.chipp.ai/%0aalert(1)", UNSAFE),
    // No hosts.
    ("https://mcp.chipp.ai%00.evil.example/mcp", USAGE),
    ("https://mcp.chipp.ai:99999/mcp", USAGE),
    ("https://[::ffff:mcp.chipp.ai]/mcp", USAGE),
    ("https://mcp chipp.ai/mcp", USAGE),
];

fn resolve(typed: Option<&str>) -> Result<Target, Name> {
    let home = tempfile::tempdir().unwrap();
    Target::resolve(typed, home.path(), Choices::default()).map_err(|error| error.name())
}

#[tokio::test]
async fn a_stored_token_is_given_to_its_own_origins_only() {
    let chipp = resolve(None).unwrap();
    let origins: Vec<&str> = chipp.origins.iter().map(String::as_str).collect();
    let stored = credential(Url::parse("https://app.chipp.ai/token").unwrap(), &origins, 0);
    for (typed, is) in TYPED {
        let target = match resolve(Some(typed)) {
            Err(name) => {
                assert_eq!(Refused(name), is, "{typed:?}");
                continue;
            }
            Ok(target) => target,
        };
        let origin = target.url.origin().ascii_serialization();
        assert_eq!(target.key() == chipp.key(), is == Chipp, "{typed:?} is {origin}");
        assert_eq!(origins.contains(&origin.as_str()), is == Chipp, "{typed:?} is {origin}");
        if is == Other {
            // Nothing that belongs to Chipp goes along: no client, no endpoint, no origin, no scope.
            assert!(target.client_id.is_none() && target.issuer.is_none(), "{typed:?}");
            assert!(target.documented.is_none() && target.scope.is_none(), "{typed:?}");
            assert!(target.origins.iter().eq([&origin]), "{typed:?}");
        }
        // Even if the record of the one were found under the key of the other.
        let (session, _home) = session(&origin, &stored).await;
        let token = session.token().await.map(|_| ()).map_err(|error| error.name());
        assert_eq!(token, if is == Chipp { Ok(()) } else { Err(Name::WrongOrigin) }, "{typed:?} is {origin}");
    }
    assert!(TYPED.iter().filter(|(_, is)| *is != Chipp).count() >= 40);
}

// where no token may be sent at all, in whichever way it is written.
#[test]
fn plain_http_is_for_this_computer_only() {
    for (address, allowed) in [
        ("http://127.0.0.1:1/", true),
        ("http://localhost:1/", true),
        ("http://LOCALHOST/", true),
        ("http://[::1]:1/", true),
        ("http://127.1/", true),
        ("http://0x7f000001/", true),
        ("http://2130706433/", true),
        ("http://127.0.0.1.evil.example/", false),
        ("http://127.0.0.1.nip.io/", false),
        ("http://localhost.evil.example/", false),
        ("http://localhost@evil.example/", false),
        ("http://evil.example\\@localhost/", false),
        ("http://[::ffff:10.0.0.1]/", false),
        ("http://0.0.0.0/", false),
        ("http://10.0.0.1/", false),
        ("http://169.254.169.254/", false),
        ("http://[fe80::1]/", false),
        ("http://128.0.0.1/", false),
    ] {
        let url = Url::parse(address).unwrap();
        assert_eq!(http::check(&url).is_ok(), allowed, "{address} is {url}");
    }
}
