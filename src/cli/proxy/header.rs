//! The user's own headers: given on the command line, or one a line in a file.
//!
//! `${NAME}` in a value stands for the environment variable of that name, as in other bridges. The command
//! line of a process can be read by everybody on the computer, its environment only by its user; so a secret
//! belongs into the `env` of the client's configuration, or into a file. A variable that is not set is an
//! error and not an empty text: the server would call that a wrong token.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::error::{Error, Name, Result, clean};
use crate::profile::Target;

/// The largest file of headers, in bytes.
const LIMIT: u64 = 64 * 1024;

/// A header as it was typed. Not to be shown: its value may be a secret.
#[derive(Clone)]
pub(super) struct Given {
    name: HeaderName,
    value: String,
}

/// Headers that can be sent.
#[derive(Default)]
pub(in crate::cli) struct Headers {
    /// In the order in which they were given, then those of the file, then those of the profile.
    pub(in crate::cli) list: Vec<(HeaderName, HeaderValue)>,
    /// The variables that were read for them: no child of ours may inherit these.
    pub(super) variables: Vec<String>,
}

impl Headers {
    /// Whether one of them authorizes the requests.
    pub(super) fn authorize(&self) -> bool {
        self.list.iter().any(|(name, _)| name == AUTHORIZATION)
    }
}

/// Reads `Name: value`, with or without blanks around the colon.
pub(super) fn parse(text: &str) -> Result<Given, String> {
    // The text is not repeated: it may be a secret.
    let (name, value) = text.split_once(':').ok_or("a header looks like 'Name: value'")?;
    let name = name.trim().parse().map_err(|_| "the header's name is not allowed")?;
    let value = value.trim();
    HeaderValue::from_str(value).map_err(|_| "the header's value is not allowed")?;
    Ok(Given { name, value: value.to_owned() })
}

/// The headers that the target's profile states, for requests that have no others.
///
/// # Errors
/// As [`resolve`].
pub(in crate::cli) fn of(target: &Target) -> Result<Headers> {
    let headers = resolve(&Typed::default(), &target.headers, environment);
    headers.map_err(|error| target.mark(error))
}

/// A variable of our environment.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The headers of the command line.
#[derive(Default)]
pub(super) struct Typed<'a> {
    pub(super) given: &'a [Given],
    /// A file with more of them.
    pub(super) file: Option<&'a Path>,
}

/// All headers, with what `variable` says in the place of the names of variables. What is typed stands in the
/// place of what the profile states.
///
/// # Errors
/// `config-bad` for a file that cannot be used, or a profile's header that cannot be sent; `usage` for a variable
/// that is not set, or whose value no header can have.
pub(super) fn resolve(
    typed: &Typed<'_>,
    stated: &BTreeMap<String, String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Headers> {
    let mut all = typed.given.to_vec();
    all.extend(typed.file.map(read).transpose()?.unwrap_or_default());
    let stated = stated.iter().map(|(name, value)| self::stated(name, value)).collect::<Result<Vec<_>>>()?;
    let absent = |given: &Given| !all.iter().any(|typed| typed.name == given.name);
    let usual: Vec<_> = stated.into_iter().filter(absent).collect();
    all.extend(usual);
    let mut headers = Headers::default();
    for Given { name, value } in &all {
        let value = expand(value, &variable, &mut headers.variables).map_err(|missing| {
            let what = format!("the header {name} needs the variable {missing}, which is not set");
            Error::new(Name::Usage, what)
                .hinted("set it where your MCP client is configured (usually `env`), or write the value to a file for --header-file")
        })?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| {
            Error::new(Name::Usage, format!("the header {name} would have a value that is not allowed"))
                .hinted("check the variables that it names: line breaks and other control characters cannot be sent")
        })?;
        value.set_sensitive(true);
        headers.list.push((name.clone(), value));
    }
    Ok(headers)
}

/// A header of a profile. Never an `Authorization`: that would switch the profile's sign-in off unseen.
fn stated(name: &str, value: &str) -> Result<Given> {
    let given = parse(&format!("{name}:{value}")).ok().filter(|given| given.name != AUTHORIZATION);
    given.ok_or_else(|| {
        let what = format!("the header {} of the profile cannot be sent", clean(name));
        Error::new(Name::ConfigBad, what).hinted(
            "correct `headers` in profiles.toml; for a token of your own state `auth = \"bearer\"` there",
        )
    })
}

/// One header a line; empty lines and those that begin with `#` are passed over.
fn read(path: &Path) -> Result<Vec<Given>> {
    let bad = |why: String| {
        Error::new(Name::ConfigBad, format!("the header file {} cannot be used: {why}", path.display()))
            .hinted("give the path of a file with one 'Name: value' on each line")
    };
    let file = std::fs::File::open(path).map_err(|error| bad(error.to_string()))?;
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(number, line)| parse(line).map_err(|why| bad(format!("line {}: {why}", number + 1))))
        .collect()
}

/// Replaces each `${NAME}`, and nothing else that has a dollar sign; once, so that a value cannot name
/// variables in its turn. The error is the name of a variable that is not set.
fn expand(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
    used: &mut Vec<String>,
) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        expanded.push_str(before);
        match after.split_once('}').filter(|(name, _)| is_name(name)) {
            None => {
                expanded.push_str("${");
                rest = after;
            }
            Some((name, after)) => {
                let value = variable(name).filter(|value| !value.is_empty());
                expanded.push_str(&value.ok_or_else(|| clean(name))?);
                used.push(name.to_owned());
                rest = after;
            }
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// The names that shells can set.
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        match name {
            "TOKEN" => Some("s3cret:with:colons".to_owned()),
            "NESTED" => Some("${TOKEN}".to_owned()),
            "LINES" => Some("a\r\nX-Evil: b".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn resolved(text: &str) -> Result<(String, Vec<String>)> {
        let given = parse(text).map_err(|why| Error::new(Name::Usage, why))?;
        let headers = resolve(&Typed { given: &[given], file: None }, &BTreeMap::new(), variable)?;
        let (name, value) = &headers.list[0];
        assert!(value.is_sensitive());
        Ok((format!("{name}: {}", value.to_str().unwrap()), headers.variables))
    }

    #[test]
    fn a_header_is_read_with_its_variables() {
        for (text, header, used) in [
            ("Authorization: Bearer ${TOKEN}", "authorization: Bearer s3cret:with:colons", &["TOKEN"][..]),
            ("X-Key:${TOKEN}", "x-key: s3cret:with:colons", &["TOKEN"]),
            ("X: a:b: c", "x: a:b: c", &[]),
            ("X: ${NESTED}", "x: ${TOKEN}", &["NESTED"]),
            ("X: ${TOKEN}/${TOKEN}", "x: s3cret:with:colons/s3cret:with:colons", &["TOKEN", "TOKEN"]),
            ("X: $TOKEN ${} ${a-b} ${1} ${", "x: $TOKEN ${} ${a-b} ${1} ${", &[]),
            ("X: ${${TOKEN}", "x: ${s3cret:with:colons", &["TOKEN"]),
            ("X:", "x: ", &[]),
        ] {
            let (found, variables) = resolved(text).unwrap();
            assert_eq!((found.as_str(), variables), (header, used.iter().map(ToString::to_string).collect()));
        }
    }

    #[test]
    fn what_is_wrong_is_named_without_a_value() {
        for text in
            ["X: ${MISSING}", "X: ${EMPTY}", "X: ${LINES}", "no colon s3cret", "a b: s3cret", "X: a\nb"]
        {
            let error = resolved(text).unwrap_err();
            assert_eq!(error.name(), Name::Usage, "{text}");
            let said = format!("{} {}", error.what(), error.hint());
            assert!(!said.contains("s3cret") && !said.contains("Evil"), "{said}");
        }
    }

    #[test]
    fn a_file_has_one_header_a_line() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("headers");
        std::fs::write(&path, "\u{feff}# mine\nAuthorization: Bearer x:y\r\n\n  X-Key: ${TOKEN}\n").unwrap();
        let first = parse("X-First: 1").unwrap();
        let resolved = |given: &[Given], file: &Path| {
            resolve(&Typed { given, file: Some(file) }, &BTreeMap::new(), variable)
        };
        let headers = resolved(&[first], &path).unwrap();
        let lines: Vec<_> =
            headers.list.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        assert_eq!(lines, ["x-first=1", "authorization=Bearer x:y", "x-key=s3cret:with:colons"]);
        assert!(headers.authorize());

        std::fs::write(&path, "X: 1\nAuthorization Bearer s3cret\n").unwrap();
        let error = resolved(&[], &path).err().unwrap();
        assert_eq!(error.name(), Name::ConfigBad);
        assert!(error.what().contains("line 2") && !error.what().contains("s3cret"), "{error}");
        assert!(resolved(&[], &home.path().join("none")).is_err());
    }

    #[test]
    fn what_is_typed_wins_over_what_the_profile_states() {
        let given = [parse("x-org: typed").unwrap()];
        let typed = Typed { given: &given, file: None };
        let sent = |name: &str, value: &str| -> Result<Vec<String>> {
            let stated = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            let headers = resolve(&typed, &stated, variable)?.list;
            Ok(headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect())
        };
        assert_eq!(sent("X-Org", "stated").unwrap(), ["x-org=typed"]);
        assert_eq!(sent("X-Key", "${TOKEN}").unwrap(), ["x-org=typed", "x-key=s3cret:with:colons"]);
        let evil = "s3cret\nX-Evil: 1";
        for (name, value) in [("Authorization", "Bearer s3cret"), ("a b", "s3cret"), ("x", evil)] {
            let error = sent(name, value).unwrap_err();
            assert_eq!(error.name(), Name::ConfigBad, "{name}");
            assert!(!error.what().contains("s3cret"), "{error}");
        }
        assert_eq!(sent("x", "${MISSING}").unwrap_err().name(), Name::Usage);
    }
}
