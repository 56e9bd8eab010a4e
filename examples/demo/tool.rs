//! The real binary, in a home of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use chipp_auth::sandbox::Sandbox;

use crate::say;

/// Builds the binary as users get it, in this example's profile; returns its path.
pub(crate) fn build() -> Result<PathBuf> {
    let example = std::env::current_exe()?;
    let folder = example.parent().and_then(Path::parent).context("not in a target folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--bin", "chipp-auth"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        command.arg("--release");
    }
    ensure!(command.status().context("cargo does not start")?.success(), "chipp-auth does not build");
    Ok(folder.join("chipp-auth").with_extension(std::env::consts::EXE_EXTENSION))
}

/// The tool with its surroundings. What it leaves is removed at the end, however that comes.
pub(crate) struct Tool {
    binary: PathBuf,
    home: tempfile::TempDir,
    /// Why the keychain is not used.
    no_keychain: Option<String>,
    clean: std::cell::Cell<bool>,
}

/// A sign-in under way.
pub(crate) struct Login {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Tool {
    pub(crate) fn new(binary: PathBuf, sandbox: &Sandbox) -> Result<Tool> {
        let home = tempfile::tempdir()?;
        let base = sandbox.base();
        let base = base.as_str().trim_end_matches('/');
        let profile =
            format!("[profiles.chipp]\nurl = \"{base}/mcp/messages\"\nauthorization_server = \"{base}\"\n");
        std::fs::write(home.path().join("profiles.toml"), profile)?;
        let mut tool = Tool { binary, home, no_keychain: None, clean: false.into() };
        tool.no_keychain = tool.keychain_trouble()?;
        Ok(tool)
    }

    /// Asks the tool itself whether the keychain works: nobody is signed in, so 4 is the good answer.
    fn keychain_trouble(&self) -> Result<Option<String>> {
        let output = self.command(&["status", "--json"]).stdout(Stdio::piped()).output()?;
        if output.status.code() == Some(4) {
            return Ok(None);
        }
        let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok(Some(error["error"]["name"].as_str().unwrap_or("it does not answer").to_owned()))
    }

    pub(crate) fn store(&self) -> String {
        match &self.no_keychain {
            None => "OS keychain".to_owned(),
            Some(why) => format!("encrypted file, because the OS keychain cannot be used here ({why})"),
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).env("CHIPP_AUTH_HOME", self.home.path());
        for name in [
            "CHIPP_AUTH_STORE",
            "CHIPP_AUTH_PASSPHRASE",
            "CHIPP_AUTH_PASSPHRASE_FILE",
            "CHIPP_AUTH_CLIENT_SECRET",
        ] {
            command.env_remove(name);
        }
        if self.no_keychain.is_some() {
            command.env("CHIPP_AUTH_STORE", "file").env("CHIPP_AUTH_PASSPHRASE", "only for this demo");
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Runs it as the reader would see it.
    pub(crate) fn show(&self, args: &[&str]) -> Result<()> {
        say!("$ chipp-auth {}", args.join(" "));
        let status = self.command(args).stdout(Stdio::inherit()).status()?;
        ensure!(status.success(), "chipp-auth {} ended with {status}", args.join(" "));
        Ok(())
    }

    /// Runs it without a word; its exit code.
    pub(crate) fn quiet(&self, args: &[&str]) -> Result<i32> {
        let status = self.command(args).stderr(Stdio::null()).status()?;
        status.code().context("it was killed")
    }

    /// Starts a sign-in without a browser; returns it with the address that it prints.
    pub(crate) fn login(&self) -> Result<(Login, String)> {
        say!("$ chipp-auth login --no-browser");
        let mut child = self.command(&["login", "--no-browser"]).stderr(Stdio::piped()).spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().context("no stderr")?);
        let mut line = String::new();
        while stderr.read_line(&mut line)? > 0 {
            let text = line.trim_end();
            if text.trim_start().starts_with("http") {
                let address = text.trim().to_owned();
                say!("  {}…", address.chars().take(90).collect::<String>());
                return Ok((Login { child, stderr }, address));
            }
            say!("{text}");
            line.clear();
        }
        bail!("no address was printed")
    }

    /// Removes everything and looks whether that is so.
    pub(crate) fn clean(&self) -> Result<()> {
        self.clean.set(true);
        let status = self.command(&["reset", "--yes"]).stderr(Stdio::null()).status()?;
        ensure!(status.success(), "reset ended with {status}");
        Ok(())
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        if !self.clean.get() {
            let _ = self.clean();
        }
    }
}

impl Login {
    /// Waits for the end and shows the rest of what it says.
    pub(crate) fn finish(mut self) -> Result<()> {
        let mut line = String::new();
        while self.stderr.read_line(&mut line)? > 0 {
            if !line.trim().is_empty() {
                say!("{}", line.trim_end());
            }
            line.clear();
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "the sign-in ended with {status}");
        Ok(())
    }
}
