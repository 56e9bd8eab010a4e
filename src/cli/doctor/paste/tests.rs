use super::*;

fn paste() -> Paste {
    Paste::of(Some(Path::new("/homes/ada")), Some("ada".to_owned()))
}

#[test]
fn the_home_directory_and_the_users_name_in_paths_are_gone() {
    for (text, shown) in [
        ("/homes/ada/.config/x", "~/.config/x"),
        ("in /homes/ada: no", "in ~: no"),
        ("/homes/adam/x", "/homes/adam/x"),
        ("/media/ada/disk and /run/ada", "/media/[user]/disk and /run/[user]"),
        (r"C:\Users\ada\x", r"C:\Users\[user]\x"),
        // A word is not a name.
        ("ada is a language", "ada is a language"),
        ("/media/ada-disk", "/media/ada-disk"),
    ] {
        assert_eq!(paste().clean(text), shown, "{text}");
    }
    let root = Paste::of(Some(Path::new("/root")), None);
    assert_eq!(root.clean(&["/root", "/x, /rootfs, /usr/root"].concat()), "~/x, /rootfs, /usr/root");
    assert_eq!(Paste::of(Some(Path::new("/")), None).clean("/var/x"), "/var/x");
}

#[test]
fn addresses_lose_credentials_queries_and_fragments() {
    for (text, shown) in [
        ("see https://e.com/mcp?key=s3cret.", "see https://e.com/mcp"),
        ("https://u:p@e.com/a#b and `http://x@y/z?q`", "https://e.com/a and `http://y/z`"),
        ("https://a@b@e.com:1/x", "https://e.com:1/x"),
        ("socks5://u:p@h", "socks5://h"),
        ("https://e.com/@me/x", "https://e.com/@me/x"),
        ("https://e.com/s/0a1b2c3d4e5f6a7b8c9d/mcp", "https://e.com/s/…/mcp"),
        ("https://e.com/well-known-and-long-enough/mcp", "https://e.com/well-known-and-long-enough/mcp"),
        ("https://mcp1.a-long-name.example.com/mcp", "https://mcp1.a-long-name.example.com/mcp"),
    ] {
        assert_eq!(paste().clean(text), shown, "{text}");
    }
}

#[test]
fn mail_addresses_and_what_looks_like_a_token_are_gone() {
    for (text, shown) in [
        ("signed in as ada.l+x@mail.example.com.", "signed in as [email]."),
        ("<a@b.c>, ü@d", "<[email]>, [email]"),
        ("--account john@example.com`", "--account [email]`"),
        ("@latest and a@ and @", "@latest and a@ and @"),
        ("chipp_at_abc is one", "[token] is one"),
    ] {
        assert_eq!(paste().clean(text), shown, "{text}");
    }
}

#[test]
fn the_target_is_shown_as_it_may_be() {
    let mut paste = paste();
    paste.swap("e.com?s3cret", "e.com");
    paste.swap("", "nothing");
    assert_eq!(paste.clean("run `x e.com?s3cret`"), "run `x e.com`");
}
