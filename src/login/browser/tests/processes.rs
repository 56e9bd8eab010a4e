//! The opener as a real process, with scripts in place of this program and of the browser.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::super::*;

const URL: &str = "https://as.example/authorize?state=STATE&code_challenge=x";

/// An executable shell script in `dir`, in which `$DIR` is `dir`.
fn script(dir: &Path, name: &str, body: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, format!("#!/bin/sh\nDIR='{}'\n{body}\n", dir.display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// This test program again, running one of the ignored tests below.
fn again(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = format!("login::browser::tests::processes::{test}");
    command.args(["--exact", &test, "--ignored", "--nocapture"]).stdin(Stdio::null());
    command
}

#[test]
#[ignore = "run by the tests below: starts $TEST_OPENER and says what came of it"]
fn as_the_parent() {
    let opener = PathBuf::from(std::env::var_os("TEST_OPENER").unwrap());
    let url = Url::parse(&std::env::var("TEST_URL").unwrap());
    // Descriptors that a browser must not get.
    let _socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let _file = fs::File::open("/dev/zero").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = match url {
        Ok(url) => {
            let outcome = runtime.block_on(opener::start(&opener, &url));
            outcome.map_or_else(|error| error.name().to_string(), |()| "opened".into())
        }
        Err(_) => format!("{:?}", runtime.block_on(opener::look(&opener))),
    };
    println!("outcome: {outcome};");
    runtime.shutdown_background();
}

#[test]
#[ignore = "run by the tests below: is the opener"]
fn as_the_opener() {
    if let Err(error) = run_opener() {
        std::process::exit(error.exit().into());
    }
}

fn parent(opener: &Path, url: &str) -> (String, Output) {
    let output = again("as_the_parent")
        .env("TEST_OPENER", opener)
        .env("TEST_URL", url)
        .envs([("CHIPP_AUTH_PASSPHRASE", "CANARY1"), ("CHIPP_AUTH_CLIENT_SECRET", "CANARY2")])
        .envs([("CHIPP_AUTH_PASSPHRASE_FILE", "CANARY3"), ("DYLD_INSERT_LIBRARIES", "CANARY4")])
        .envs([("LD_LIBRARY_PATH", "/CANARY5"), ("KEPT", "kept")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let outcome = said.split("outcome: ").nth(1).and_then(|rest| rest.split(';').next());
    (outcome.unwrap_or_else(|| panic!("{output:?}")).to_owned(), output)
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn the_opener_gets_the_address_by_stdin_and_nothing_else_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let opener = script(
        dir.path(),
        "opener",
        r#"fds=$(ls -l /proc/$$/fd); echo "$fds" > "$DIR/fds"; tr '\0' '\n' < /proc/$$/environ > "$DIR/env"
        tr '\0' '\n' < /proc/$$/cmdline > "$DIR/argv"; pwd > "$DIR/pwd"; cat > "$DIR/stdin"
        cut -d' ' -f1,5 /proc/$$/stat > "$DIR/group"; echo NOISE; echo NOISE >&2"#,
    );
    let (outcome, output) = parent(&opener, URL);
    assert_eq!(outcome, "opened");
    assert_eq!(read(dir.path(), "stdin"), URL);
    assert_eq!(read(dir.path(), "argv"), format!("/bin/sh\n{}\nopen-browser\n", opener.display()));
    let env = read(dir.path(), "env");
    assert!(env.contains("KEPT=kept") && !env.contains("CANARY"), "{env}");
    let (id, group) =
        read(dir.path(), "group").trim().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(id, group, "a process group of its own");
    assert_eq!(read(dir.path(), "pwd"), "/\n");
    let fds = read(dir.path(), "fds");
    assert!(!fds.contains("socket:") && !fds.contains("/dev/zero"), "{fds}");
    assert!(fds.contains(" 1 -> /dev/null") && fds.contains(" 2 -> /dev/null"), "{fds}");
    // B4: not a byte of the opener's noise on our own standard output or error.
    assert!(!format!("{output:?}").contains("NOISE"), "{output:?}");
}

/// The scripts by which systems tell of their browser are foreign programs as well.
#[test]
fn looking_for_a_browser_gives_away_nothing_either() {
    let dir = tempfile::tempdir().unwrap();
    let body = r#"tr '\0' '\n' < /proc/$$/environ > "$DIR/env"; cat > "$DIR/stdin""#;
    let opener = script(dir.path(), "opener", body);
    assert_eq!(parent(&opener, "nothing to open").0, "Some(true)");
    let env = read(dir.path(), "env");
    assert!(env.contains("KEPT=kept") && !env.contains("CANARY"), "{env}");
    assert_eq!(read(dir.path(), "stdin"), "?");
    let none = script(dir.path(), "none", "exit 3");
    assert_eq!(parent(&none, "nothing to open").0, "Some(false)");
}

#[test]
fn an_opener_that_fails_is_a_missing_browser() {
    let dir = tempfile::tempdir().unwrap();
    let failing = script(dir.path(), "failing", "exit 3");
    assert_eq!(parent(&failing, URL).0, "browser-missing");
    assert_eq!(parent(&dir.path().join("absent"), URL).0, "browser-missing");
    let deaf = script(dir.path(), "deaf", "exec <&-; exit 0");
    assert_eq!(parent(&deaf, URL).0, "opened", "closing the pipe early is no failure");
}

#[test]
fn an_unsafe_address_never_starts_the_opener() {
    let dir = tempfile::tempdir().unwrap();
    let opener = script(dir.path(), "opener", ": > \"$DIR/ran\"");
    for url in
        ["http://as.example/", "javascript:alert(1)", "https://u@as.example/", "https://as.example/?\\"]
    {
        assert_eq!(parent(&opener, url).0, "unsafe-url", "{url}");
    }
    assert!(!dir.path().join("ran").exists());
    assert_eq!(parent(&opener, URL).0, "opened");
    assert!(dir.path().join("ran").exists(), "the script would have said so");
}

/// Row 8, and text browsers: `webbrowser` runs a `lynx` in the foreground on the output it has.
#[test]
fn a_text_browser_that_stays_is_left_running_and_stays_silent() {
    let dir = tempfile::tempdir().unwrap();
    let lynx = script(dir.path(), "lynx", "echo NOISE; echo $$ > \"$DIR/id\"; exec sleep 120");
    let this = std::env::current_exe().unwrap();
    let test = "login::browser::tests::processes::as_the_opener";
    let body = format!(
        "BROWSER='{}' exec '{}' --exact {test} --ignored --nocapture",
        lynx.display(),
        this.display()
    );
    let start = Instant::now();
    let (outcome, output) = parent(&script(dir.path(), "opener", &body), URL);
    assert_eq!(outcome, "opened");
    assert!(start.elapsed() < Duration::from_secs(60), "it was waited for");
    assert!(!format!("{output:?}").contains("NOISE"), "{output:?}");
    let id = read(dir.path(), "id");
    assert!(Path::new("/proc").join(id.trim()).exists(), "it was killed");
    assert!(Command::new("kill").arg(id.trim()).status().unwrap().success());
}

/// What the opener does with an address on its standard input.
fn opener(browser: &str, input: &[u8]) -> i32 {
    let mut child = again("as_the_opener")
        .env("BROWSER", browser)
        .env("PATH", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
    child.wait().unwrap().code().unwrap()
}

/// B1, B3, A-31: the browser is run without a shell, and the address stays one argument.
#[test]
fn the_browser_gets_the_address_as_one_argument_whatever_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let browser = script(
        dir.path(),
        "browser",
        "PATH=/bin:/usr/bin; tr '\\0' '\\n' < /proc/$$/cmdline > \"$DIR/new\"; mv \"$DIR/new\" \"$DIR/argv\"",
    );
    let browser = browser.to_str().unwrap();
    for template in [browser.to_owned(), format!("{browser} --new-window=%s")] {
        for c in "!\"$%&'()*+,-./:;<=>?@[]^_`{|}~ é".chars() {
            let url =
                Url::parse(&format!("https://as.example/$(touch x);`id`|&p?q={c}{c}--flag={c}%s")).unwrap();
            assert_eq!(opener(&template, url.as_str().as_bytes()), 0, "{url}");
            let prefix = if template.contains("%s") { "--new-window=" } else { "" };
            let expected = format!("/bin/sh\n{browser}\n{prefix}{url}\n");
            let argv = dir.path().join("argv");
            let limit = Instant::now() + Duration::from_secs(30);
            while !argv.exists() && Instant::now() < limit {
                std::thread::sleep(Duration::from_millis(2));
            }
            assert_eq!(fs::read_to_string(&argv).unwrap(), expected);
            fs::remove_file(argv).unwrap();
        }
    }
}

#[test]
fn the_opener_checks_again_what_arrives() {
    let dir = tempfile::tempdir().unwrap();
    let browser = script(dir.path(), "browser", ": > \"$DIR/ran\"");
    let long = format!("https://as.example/?{}", "a".repeat(100_000));
    for input in ["", "http://as.example/", "file:///etc/passwd", "https://as.example/#f", "-v", &long] {
        assert_eq!(opener(browser.to_str().unwrap(), input.as_bytes()), 7, "{input:.40}");
    }
    assert_eq!(opener(browser.to_str().unwrap(), b"https://as.example/\xff"), 7);
    assert_eq!(opener("/nonexistent/browser", URL.as_bytes()), 3, "browser-missing");
    assert!(!dir.path().join("ran").exists());
}
