use super::*;

fn refused(text: &str) -> bool {
    // What the parser refuses never becomes a `Url`, and so never reaches the check.
    Url::parse(text).map_or(true, |url| match check(&url) {
        Ok(()) => false,
        Err(error) => {
            assert_eq!((error.name(), error.exit()), (Name::UnsafeUrl, 7), "{text}");
            assert!(!error.what().contains("SECRET"), "{error}");
            true
        }
    })
}

/// Everything that shells, terminals, launchers and markup give a meaning to.
const META: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r \u{0}\u{7}\u{1b}\u{7f}\u{a0}\u{202e}é😀";

#[test]
fn addresses_meant_for_a_browser_pass() {
    for good in [
        "https://app.chipp.ai/api/mcp/oauth/authorize?client_id=chipp-mcp-client&scope=*",
        "https://as.example:8443/authorize",
        "https://bücher.example/authorize",
        "https://192.0.2.1/authorize",
        "https://[2001:db8::1]/authorize",
        "http://localhost:8080/authorize?x=1",
        "http://127.0.0.1/authorize",
        "http://127.9.9.9:1/authorize",
        "http://[::1]:9/authorize",
        "HTTPS://AS.EXAMPLE/AUTHORIZE",
        "https://as.example/a?state=%5C%20%0A%00",
    ] {
        assert!(!refused(good), "{good}");
    }
    // Whatever the parser escapes is harmless; a bare backslash in a query is not escaped.
    for c in META.chars() {
        assert_eq!(
            refused(&format!("https://as.example/p?q=a{c}b")),
            c == '#' || c == '\\',
            "{c:?} in a query"
        );
        assert_eq!(refused(&format!("https://as.example/p{c}q")), c == '#', "{c:?} in a path");
    }
}

// B2, A-30, A-32.
#[test]
fn addresses_that_are_not_are_refused() {
    for scheme in "javascript data file vbscript ftp ws wss about blob chrome view-source ms-settings \
                   search-ms tel mailto ssh smb steam x-apple intent jar http+unix httpss"
        .split_whitespace()
    {
        for rest in [":alert(1)", "://as.example/?SECRET", ":///etc/passwd", "://localhost/?SECRET"] {
            assert!(refused(&format!("{scheme}{rest}")), "{scheme}{rest}");
        }
    }
    for host in [
        "as.example",
        "localhost.as.example",
        "localhost.",
        "127.0.0.1.as.example",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "128.0.0.1",
        "[::]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
    ] {
        assert!(refused(&format!("http://{host}/authorize?state=SECRET")), "http://{host}");
    }
    for bad in [
        "https://user@as.example/",
        "https://user:SECRET@as.example/",
        "https://:SECRET@as.example/",
        "https://app.chipp.ai@evil.example/",
        "http://user@localhost/",
        "https://as.example/#",
        "https://as.example/?a=SECRET#fragment",
        "https://",
        "https:// as.example/",
        "//as.example/",
        "as.example",
        "",
        "-flag",
        "https://as.example:99999/",
        "https://as.ex\u{0}ample/",
    ] {
        assert!(refused(bad), "{bad}");
    }
    let long = |length: usize| format!("https://as.example/?{}", "a".repeat(length - 20));
    assert!(!refused(&long(LONGEST)) && refused(&long(LONGEST + 1)) && refused(&long(10_000_000)));
}

#[cfg(target_os = "linux")]
mod processes;
