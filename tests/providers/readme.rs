//! The README's chapter that leads from a provider's client id to a tool call: its commands are typed as they
//! stand there, in their order. Only the addresses, the client id and the port are those of the provider here.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::host::Host;
use crate::house::{Ended, wait};
use crate::provider::{NAME, Provider, said};

const CHAPTER: &str = "\n## From a provider's client id to a tool call\n";

/// The command blocks of the chapter.
fn blocks() -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let chapter = text.split_once(CHAPTER).expect("the chapter").1;
    let chapter = chapter.split("\n## ").next().unwrap();
    let parts = chapter.split("```sh\n").skip(1);
    parts.map(|part| part.split("\n```").next().unwrap().to_owned()).collect()
}

/// A user who has the program, Claude Code and a file with the secret, and who types.
struct Desk {
    provider: Provider,
    port: String,
}

impl Desk {
    fn new() -> Option<Desk> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let registered = format!("http://localhost:{free}/callback");
        let provider = Provider::start(&["--redirect-uri", &registered])?;
        let home = provider.house.home.path().to_owned();
        fs::remove_file(home.join("profiles.toml")).unwrap();
        fs::write(home.join("client-secret.txt"), format!("{}\n", provider.text("client_secret"))).unwrap();
        fs::create_dir(home.join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_chipp-auth"), home.join("bin/chipp-auth")).unwrap();
        // What Claude Code is told, a word a line.
        let claude = home.join("bin/claude");
        fs::write(&claude, "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$HOME/claude.$3\"\n").unwrap();
        fs::set_permissions(&claude, fs::Permissions::from_mode(0o755)).unwrap();
        Some(Desk { provider, port: free.to_string() })
    }

    fn home(&self) -> &Path {
        self.provider.house.home.path()
    }

    fn command(&self, program: &str, args: &[String]) -> Command {
        let mut command = Command::new(program);
        let envs = self.provider.plain(&[]);
        command.env_clear().envs(envs.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env_remove("CHIPP_AUTH_CLIENT_SECRET");
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.home().join("bin").display()));
        command.args(args).current_dir(self.home());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Types a block.
    fn types(&self, block: &str) -> Ended {
        let text = [
            ("https://mcp.example.com/mcp", self.provider.text("url")),
            ("https://login.example.com/authorize", self.provider.text("authorize_url")),
            ("https://login.example.com/token", self.provider.text("token_url")),
            ("YOUR_CLIENT_ID", self.provider.text("client_id")),
            ("8976", &self.port),
        ];
        let typed = text.iter().fold(block.to_owned(), |typed, (there, here)| typed.replace(there, here));
        assert!(!typed.contains("example.com/"), "an address that is not of this provider: {typed}");
        let ended = wait(self.command("sh", &["-ec".to_owned(), typed]).spawn().unwrap());
        ended.ok();
        ended
    }

    /// The server that Claude Code was told of by this name, started as it would start it.
    fn client(&self, name: &str) -> Host {
        let told = fs::read_to_string(self.home().join(format!("claude.{name}"))).unwrap();
        let words: Vec<_> = told.lines().map(str::to_owned).collect();
        assert_eq!(words[..4], ["mcp", "add", name, "--"]);
        let mut command = self.command(&words[4], &words[5..]);
        // Nobody would answer a browser.
        command.env_remove("BROWSER");
        let mut host = Host::start(command);
        assert!(host.initialize().get("result").is_some());
        host
    }
}

#[test]
fn the_chapter_leads_from_a_client_id_to_a_tool_call() {
    let Some(desk) = Desk::new() else { return };
    let blocks = blocks();
    let [add, test, client, second] = blocks.as_slice() else { panic!("{blocks:#?}") };
    desk.types(add);
    let file = fs::read_to_string(desk.home().join("profiles.toml")).unwrap();
    assert!(!file.contains(desk.provider.text("client_secret")), "{file}");
    let tested = desk.types(test);
    assert!(tested.stdout.contains("whoami") || tested.stderr.contains("whoami"), "{tested:?}");
    desk.types(client);
    let mut john = desk.client(NAME);
    assert_eq!(said(&john.call("whoami")), "john@example.com");
    desk.provider.user("jane");
    desk.types(second);
    assert_eq!(said(&desk.client("crm-jane").call("whoami")), "jane@example.com");
    assert_eq!(said(&john.call("whoami")), "john@example.com");
    let seen: Vec<Value> = desk.provider.seen("authorize");
    assert!(!seen.is_empty() && json!(seen).to_string().contains(&desk.port));
}
