//! The same question put to the kernel: every program that is started, with all its arguments and its whole
//! environment, and every byte that is written into a file, as `strace` sees it. Nothing is too short for it.

use std::process::{Command, Stdio};

use crate::host::Host;
use crate::stage::Stage;

#[test]
fn no_secret_goes_to_a_program_or_into_a_file() {
    let works = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED (strace is not installed or not allowed)");
        return;
    }
    let stage = Stage::new("-vv");
    let plain = stage.command(&["proxy"]);
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("strace");
    command
        .args(["-f", "-v", "-y", "-s", "100000", "-e", "trace=execve,write,writev,pwrite64", "-o"])
        .arg(log.path());
    command.arg(plain.get_program()).args(plain.get_args());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("BROWSER", stage.browser()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut host = Host::start(command);
    let answer = host.initialize();
    assert!(answer.get("result").is_some(), "{answer}");
    assert!(host.call("list_apps").get("result").is_some());
    assert_eq!(host.end().0, 0);
    stage.learn();
    stage.ask_browser();

    let seen = std::fs::read_to_string(log.path()).unwrap();
    let mut starts = seen.lines().filter(|line| line.contains("execve("));
    let search = stage.search();
    // The first one is the user's own, and has what the user gave it: so the search does find.
    let first = starts.next().unwrap();
    assert!(search.find(first.as_bytes()).is_some(), "{first}");
    let starts: Vec<_> = starts.collect();
    for program in ["\"--background\"", "\"open-browser\"", "/browser\"", "\"curl\""] {
        assert!(starts.iter().any(|line| line.contains(program)), "{program} was not started:\n{seen}");
    }
    // Pipes and sockets are none: what goes through them is meant to. The browser keeps its codes for us.
    let browser = format!("<{}/", stage.browser_home().display());
    let ours = |line: &&str| line.contains("write") && line.contains("</") && !line.contains(&browser);
    let writes: Vec<_> = seen.lines().filter(ours).collect();
    assert!(writes.iter().any(|line| line.contains("/sealed/")), "nothing was stored:\n{seen}");
    for line in starts.into_iter().chain(writes) {
        assert_eq!(search.find(line.as_bytes()), None, "{line}");
    }
}
