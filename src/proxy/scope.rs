//! A missing permission, in words that a person or a model can act on: the seed's "Scope not authorized".

use super::envelope::{Envelope, member, string};
use crate::error::{Error, Name, clean};

/// The most characters of a name that somebody else chose.
const LONGEST: usize = 64;

/// The error for a permission that cannot be had by itself. `scope` is what to ask for instead: everything
/// that was asked for before, and what is missing (A-52).
pub fn required(why: impl Into<String>, scope: &str) -> Error {
    let error = Error::new(Name::ScopeRequired, why);
    match command(scope) {
        Some(command) => error.hinted(format!("run {command}")),
        None => error,
    }
}

/// The command that asks for a scope. Only what no shell acts on becomes part of a command that a person or
/// a model may run.
pub(super) fn command(scope: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " :/._*-".contains(c);
    let usable = !scope.is_empty() && scope.chars().all(plain);
    usable.then(|| format!("`chipp-auth login{{target}} --scope '{scope}'`"))
}

/// Says for which request the permission is missing. `message` is the host's, if there is one.
pub(super) fn missing_for(message: Option<&[u8]>, scopes: &[String], why: Error) -> Error {
    let whom = subject(message).unwrap_or_else(|| "the request".to_owned());
    let lack = match clean(&scopes.join(" ")) {
        scopes if scopes.is_empty() => format!("scope not authorized for {whom}"),
        scopes => format!("scope not authorized for {whom}, which needs {scopes}"),
    };
    why.context(lack)
}

/// Who needs the permission: the tool, where a tool is called.
fn subject(message: Option<&[u8]>) -> Option<String> {
    let envelope = Envelope::peek(message?).ok()?;
    let method = string(envelope.method?);
    let name = || Some(string(member(envelope.params?, "name")?));
    Some(match (method.as_ref(), name()) {
        ("tools/call", Some(name)) => format!("the tool {}", short(&name)),
        ("prompts/get", Some(name)) => format!("the prompt {}", short(&name)),
        (method, _) => format!("the request {}", short(method)),
    })
}

fn short(name: &str) -> String {
    let name = clean(name);
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str, scopes: &[&str]) -> String {
        let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let why = required("why", "a");
        missing_for(Some(message.as_bytes()), &scopes, why).what().to_owned()
    }

    #[test]
    fn the_tool_is_named_cleaned_and_bounded() {
        let call = |name: &str| format!(r#"{{"id":1,"method":"tools/call","params":{{"name":{name}}}}}"#);
        assert_eq!(
            said(&call(r#""x""#), &["a", "b"]),
            "scope not authorized for the tool x, which needs a b: why"
        );
        assert_eq!(said(&call(r#""\u001b[31m\nx""#), &[]), "scope not authorized for the tool [31m x: why");
        let long = said(&call(&format!("\"{}\"", "ü".repeat(1000))), &[]);
        assert_eq!(long, format!("scope not authorized for the tool {}…: why", "ü".repeat(LONGEST)));
        for (message, whom) in [
            (r#"{"id":1,"method":"prompts/get","params":{"name":"p"}}"#, "the prompt p"),
            (r#"{"id":1,"method":"tools/call"}"#, "the request tools/call"),
            (r#"[{"id":1,"method":"tools/call"}]"#, "the request"),
        ] {
            assert_eq!(said(message, &[]), format!("scope not authorized for {whom}: why"));
        }
    }

    #[test]
    fn the_command_has_nothing_that_a_shell_acts_on() {
        assert_eq!(required("x", "a:b c").hint(), "run `chipp-auth login --scope 'a:b c'`");
        for scope in ["a'; rm -rf ~ #", "a`b`", "$(x)", "a\nb", ""] {
            assert_eq!(required("x", scope).hint(), Error::new(Name::ScopeRequired, "x").hint(), "{scope}");
        }
    }
}
