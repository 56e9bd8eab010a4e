//! The report can be pasted: nothing that is secret is in it, and nothing that says who the user is.

use std::process::Command;

use chipp_auth::sandbox::{Fault, Options};

use crate::house::{House, wait};
use crate::report::command;

/// What the report says, plain and as JSON, and what goes beside it.
fn said(make: impl Fn(&[&str]) -> Command) -> String {
    let run = |args: &[&str]| wait(make(args).spawn().unwrap());
    let all = [run(&[]), run(&["--json"]), run(&["-vv"])];
    all.iter().map(|ended| format!("{}\n{}\n", ended.stdout, ended.stderr)).collect()
}

#[test]
fn of_proxies_only_the_host_is_told() {
    let house = House::new(Options::default());
    let said = said(|args| {
        let all = [&["https://mcp.example.com/mcp?key=s3cret", "--offline"], args].concat();
        let mut command = command(&house, &all);
        command.env("HTTPS_PROXY", "http://quill:s3cret@proxy.example:3128");
        command.env("all_proxy", "socks5://quill:s3cret@socks.example");
        command
    });
    assert!(said.contains("HTTPS_PROXY names proxy.example:3128"), "{said}");
    assert!(said.contains("all_proxy names socks.example"), "{said}");
    assert!(said.contains("requests to mcp.example.com go through proxy.example:3128"), "{said}");
    for secret in ["s3cret", "quill"] {
        assert!(!said.contains(secret), "{said}");
    }
    // The command in the hint is that of this target, without its query.
    assert!(said.contains("chipp-auth login 'https://mcp.example.com/mcp'`"), "{said}");
}

#[test]
fn an_exception_goes_directly() {
    let house = House::new(Options::default());
    let said = said(|args| {
        let all = [&["https://mcp.example.com/mcp", "--offline"], args].concat();
        let mut command = command(&house, &all);
        command.env("HTTPS_PROXY", "http://proxy.example:3128").env("NO_PROXY", "example.com");
        command
    });
    assert!(said.contains("NO_PROXY is set; requests to mcp.example.com go there directly"), "{said}");
}

#[test]
fn a_signed_in_house_tells_no_token_and_no_name() {
    let house = House::new(Options { email: "quill@example.com".to_owned(), ..Options::default() });
    let account = ["--account", "quill.l@example.com"];
    assert_eq!(house.login(&account).code, 0);
    // A server that repeats what it knows.
    let token = house.run(&[&["token"], &account[..]].concat()).ok().to_owned();
    for _ in 0..3 {
        house.sandbox.fail_next(Fault::mcp(500, format!("no {token} for quill.l@example.com")));
    }
    let said = said(|args| {
        let mut command = command(&house, &[&account[..], args].concat());
        command.env("USER", "lovelace").env("HOME", house.home.path().join("users/lovelace"));
        command
    });
    for secret in [&token, "chipp_at_", "chipp_rt_", "quill", "lovelace", "correct horse"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

/// The command in the hint names the account.
#[test]
fn an_account_that_is_a_mail_address_is_not_told() {
    let house = House::new(Options::default());
    let said = said(|args| command(&house, &[&["--account", "quill.l@example.com"], args].concat()));
    assert!(said.contains("run `chipp-auth login --account [email]`") && !said.contains("quill"), "{said}");
}

#[test]
fn home_is_a_tilde() {
    let house = House::new(Options::default());
    let said = said(|args| command(&house, args));
    let home = house.home.path().display().to_string();
    // `-vv` writes for the user's own eyes, but has nothing to say of it either.
    assert!(!said.contains(&home) && said.contains("~/profiles.toml"), "{said}");
}
