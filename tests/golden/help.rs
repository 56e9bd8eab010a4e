//! The help of every command, the version, and the completions.

use chipp_auth::sandbox::Options;

use crate::frame;
use crate::house::{House, wait};

fn stdout(house: &House, args: &[&str]) -> String {
    // Help names the value of variables: here there are none.
    let mut command = house.command(args);
    command.env_remove("CHIPP_AUTH_STORE");
    let ended = wait(command.spawn().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{args:?}");
    ended.stdout
}

/// The commands that the help lists.
fn commands(house: &House) -> Vec<String> {
    let help = stdout(house, &["--help"]);
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Wrapped lines are further in.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn every_command_explains_itself() {
    let house = House::new(Options::default());
    frame::matches(&stdout(&house, &["--help"]), "help/chipp-auth.txt", &[]);
    let commands = commands(&house);
    assert!(commands.len() >= 9, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "help") {
        frame::matches(&stdout(&house, &[command, "--help"]), &format!("help/{command}.txt"), &[]);
    }
    for command in ["add", "list", "show", "edit", "remove", "presets", "schema"] {
        let help = stdout(&house, &["profile", command, "--help"]);
        frame::matches(&help, &format!("help/profile-{command}.txt"), &[]);
    }
    for command in [
        "proxy",
        "login",
        "logout",
        "status",
        "doctor",
        "reset",
        "token",
        "headers",
        "client-metadata",
        "profile",
        "completions",
    ] {
        assert!(commands.iter().any(|listed| listed == command), "{command} is missing");
    }
}

/// A wrong command line is explained by clap, with the exit code of `usage`; with `--json`, in our form.
#[test]
fn a_wrong_command_line_is_explained_without_repeating_a_secret() {
    let house = House::new(Options::default());
    let wrong = [
        &["proxy", "--header", "Authorization Bearer s3cret"][..],
        &["proxy", "--header", "Authorization: Bearer\ns3cret"],
        &["login", "--timeout", "soon"],
        &["logn"],
        &[],
    ];
    let mut shown = String::new();
    for args in wrong {
        let ended = house.run(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        let json = house.run(&[args, &["--json"]].concat());
        assert_eq!((json.code, &json.json()["error"]["name"]), (2, &"usage".into()), "{json:?}");
        let said = format!("{}{}{}", ended.stderr, json.stdout, json.stderr);
        assert!(!said.contains("s3cret"), "{said}");
        shown.push_str(&format!("{}{}\n", ended.stderr, json.stdout));
    }
    frame::matches(&shown, "help/wrong.txt", &[]);
}

#[test]
fn the_version_is_the_packages() {
    let house = House::new(Options::default());
    let expected = format!("chipp-auth {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout(&house, &["--version"]), expected);
    assert_eq!(stdout(&house, &["-V"]), expected);
}

#[test]
fn completions_know_every_command() {
    let house = House::new(Options::default());
    let commands = commands(&house);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&house, &["completions", shell]);
        for command in commands.iter().map(String::as_str).chain(["--no-browser", "--store"]) {
            // fish writes `-l store`.
            let word = command.trim_start_matches('-');
            assert!(script.contains(word), "{shell} does not complete {command}");
        }
    }
}
