//! The MCP Inspector's command line.

use std::process::{Command, Stdio};

use chipp_auth::sandbox::Options;

use super::parties::Sdk::TypeScript;
use super::parties::{Manner, Server};
use super::play::with_the_token;
use crate::house::{House, wait};
use crate::parts::{node, peer};

#[test]
fn it_lists_and_calls() {
    if !node() {
        return;
    }
    let server = Server::start(TypeScript, Manner::default());
    let house = House::new(Options::default());
    let proxy = house.command(&with_the_token(&server));
    let inspect = |options: &[&str]| {
        let mut command = Command::new(peer("inspector.sh"));
        command.args(options).arg("--").arg(proxy.get_program()).args(proxy.get_args());
        command.env_clear().envs(proxy.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = wait(command.spawn().unwrap());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    };
    let listed = inspect(&["--method", "tools/list"]);
    let mut names: Vec<_> =
        listed["tools"].as_array().unwrap().iter().filter_map(|tool| tool["name"].as_str()).collect();
    names.sort_unstable();
    let tools = ["add", "ask", "enable_more", "large", "sample", "shout", "slow_count", "wait", "waits"];
    assert_eq!(names, tools);
    let add = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=2", "--tool-arg", "b=3"];
    assert_eq!(inspect(&add)["content"][0]["text"], "5");
    // It lists the tools before it calls one, too.
    assert_eq!((server.seen("rpc", "initialize"), server.seen("rpc", "tools/call")), (2, 1));
}
