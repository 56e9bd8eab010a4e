//! The flags of `profile add` and `profile edit`: one for each key of a profile.
//!
//! Made from the table of keys, and not declared a second time. The values are looked at here and not by clap,
//! which repeats a wrong one: that of a header may be a secret.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::error::{Error, Name, Result, clean};
use crate::profile::check::nearest;
use crate::profile::check::value::Wrong;
use crate::profile::edit::Value;
use crate::profile::keys::{Form, KEYS, Key, find};

/// The key that `--store`, an option of every command, sets.
const STORE: &str = "store";
/// Keys that most profiles do without.
const RARE: &[&str] = &[
    "basic_encoding",
    "token_params",
    "resource",
    "refresh_scope",
    "token_types",
    "account_from",
    "client_metadata_url",
    "client_key_file",
    "pkce_unverified",
    "pkce",
    "dpop",
    "client_credentials",
    "assertion_file",
    "idp",
    "idp_client_id",
    "id_token_file",
];
/// The flag for the secret, which is no key of the file.
const SECRET: &str = "client_secret_stdin";

/// What was given.
#[derive(Default, Clone)]
pub(super) struct Flags {
    given: Vec<(&'static Key, Vec<String>)>,
    /// The client secret comes on stdin.
    pub(super) secret: bool,
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        KEYS.iter().filter(|key| key.name != STORE).fold(command, |command, key| {
            let command = command.arg(argument(key));
            if key.name != "client_id" { command } else { command.arg(secret()) }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn heading(key: &Key) -> &'static str {
    match key {
        _ if RARE.contains(&key.name) => "Rarely needed",
        Key { oauth: true, .. } => "OAuth",
        _ => "The server",
    }
}

fn argument(key: &Key) -> Arg {
    let arg = Arg::new(key.name).long(key.flag).help(key.about).help_heading(heading(key));
    match key.form {
        Form::Switch => arg.action(ArgAction::SetTrue),
        Form::List(_) | Form::Table(_) => arg.value_name(key.value).action(ArgAction::Append),
        Form::Text(_) | Form::Word(_) | Form::Port => arg.value_name(key.value).action(ArgAction::Set),
    }
}

fn secret() -> Arg {
    Arg::new(SECRET)
        .long("client-secret-stdin")
        .help("Read the client secret from stdin and put it into the keychain")
        .help_heading("OAuth")
        .action(ArgAction::SetTrue)
}

impl clap::FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Flags { secret: matches.get_flag(SECRET), ..Flags::default() };
        for key in KEYS.iter().filter(|key| key.name != STORE) {
            let values: Vec<String> = match key.form {
                Form::Switch if matches.get_flag(key.name) => vec![String::new()],
                Form::Switch => Vec::new(),
                _ => matches.get_many::<String>(key.name).into_iter().flatten().cloned().collect(),
            };
            if !values.is_empty() {
                flags.given.push((key, values));
            }
        }
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Keys with their values, as they are to be written.
pub(super) type Values = Vec<(&'static str, Value)>;

impl Flags {
    /// Whether nothing was given.
    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty() && !self.secret
    }

    /// The values, checked.
    ///
    /// # Errors
    /// `usage`, with the flag.
    pub(super) fn values(&self, profile: &str) -> Result<Values> {
        let value = |(key, given): &(&'static Key, Vec<String>)| {
            let value = of(key, given).map_err(|Wrong { what, hint }| {
                let what = format!("what `--{}` was given {what}", key.flag);
                Error::new(Name::Usage, what).hinted(hint.replace("PROFILE", profile))
            });
            Ok((key.name, value?))
        };
        self.given.iter().map(value).collect()
    }
}

/// The value of a key, from the texts that were given for it.
pub(super) fn of(key: &Key, given: &[String]) -> Result<Value, Wrong> {
    let last = given.last().map(String::as_str).unwrap_or_default();
    let wrong = |what: &str, hint: String| Wrong { what: what.to_owned(), hint };
    match key.form {
        Form::Text(check) => check(last).map(|()| Value::Text(last.to_owned())),
        Form::Word(words) if words.contains(&last) => Ok(Value::Text(last.to_owned())),
        Form::Word(words) => {
            let hint = match nearest::nearest(&last.to_lowercase().replace('-', "_"), words) {
                Some(near) => format!("write `{near}`, if that is what you mean"),
                None => format!("choose one of {}", words.join(", ")),
            };
            Err(wrong("is none of the words that it takes", hint))
        }
        Form::Switch => Ok(Value::Switch(true)),
        Form::Port => match last.parse() {
            Ok(port @ 1024..=u16::MAX) => Ok(Value::Port(port)),
            _ => Err(wrong("is no port that a program may open", "choose one from 1024 to 65535".to_owned())),
        },
        Form::List(check) => {
            given.iter().try_for_each(|text| check(text))?;
            Ok(Value::List(given.to_vec()))
        }
        Form::Table(check) => {
            let sign = if key.name == "headers" { ':' } else { '=' };
            let member = |text: &String| {
                // The text is not repeated: it may be a secret.
                let parts = text.split_once(sign).ok_or_else(|| {
                    wrong("has no name and value", format!("write --{} {}", key.flag, key.value))
                });
                let (name, value) = parts?;
                let (name, value) = (name.trim(), value.trim());
                check(name, value).map_err(|Wrong { what, hint }| Wrong {
                    what: format!("for `{}` {what}", clean(name)),
                    hint,
                })?;
                Ok((name.to_owned(), value.to_owned()))
            };
            given.iter().map(member).collect::<Result<_, Wrong>>().map(Value::Table)
        }
    }
}

/// A key that is to be taken out, as people write it: `client-id`, `scope`, `headers.X-Team`.
///
/// # Errors
/// `usage` for a key that there is not.
pub(super) fn unset(text: &str) -> Result<String> {
    let (outer, inner) = text.split_once('.').map_or((text, None), |(outer, inner)| (outer, Some(inner)));
    let outer = outer.trim_start_matches('-').replace('-', "_");
    let by_flag = KEYS.iter().find(|key| key.flag.replace('-', "_") == outer);
    let Some(key) = find(&outer).or(by_flag) else {
        let known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        let hint = match nearest::key(&outer, &known) {
            Some(near) => format!("write `--unset {near}`, if that is what you mean"),
            None => "`chipp-auth profile show PROFILE` shows the keys that it has".to_owned(),
        };
        return Err(Error::new(Name::Usage, format!("there is no key `{}`", clean(&outer))).hinted(hint));
    };
    Ok(inner.map_or_else(|| key.name.to_owned(), |inner| format!("{}.{inner}", key.name)))
}
