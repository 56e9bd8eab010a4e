//! Who has signed in, as far as the provider tells: a name by which people tell their accounts apart.
//!
//! Nothing is permitted or refused because of it. It is shown, and it decides under which name a sign-in is
//! kept, so that one account never takes the place of another; a provider that lies about it harms only the
//! names of its own accounts. That is why the ID token is read without checking its signature, audience and
//! nonce: it came from the token endpoint itself over TLS, in answer to a code with our verifier, where
//! OpenID Connect Core section 3.1.3.7 lets TLS stand for the signature.
//!
//! A place is a source and a path in it, such as `id_token.email`, `userinfo.login` or
//! `token.authed_user.id`. The first place with a name in it decides.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::depth;
use crate::error::{Error, Name, Result, clean};
use crate::http::{self, Reach};

/// Where a name is looked for, if nobody says where. An address of mail or a name to sign in with is better
/// than a person's name, which two accounts may share; after them come the members in which Slack, Notion and
/// Salesforce tell it beside the tokens; last what stands for the account without being a name.
const USUAL: &[&str] = &[
    "id_token.email",
    "id_token.preferred_username",
    "userinfo.email",
    "userinfo.preferred_username",
    "userinfo.login",
    "id_token.name",
    "userinfo.name",
    "token.email",
    "token.owner.user.person.email",
    "token.owner.user.name",
    "token.workspace_name",
    "token.authed_user.id",
    "token.team.name",
    "token.id",
    "id_token.sub",
    "userinfo.sub",
];

/// The longest name kept, in characters.
const LONGEST: usize = 100;
/// The longest `sub` that is shown, in characters: a longer one says nothing to anybody.
const LONGEST_SUBJECT: usize = 40;
/// The largest ID token that is read, in bytes.
const LARGEST: usize = 64 * 1024;
/// The deepest nesting of what is read.
const DEEPEST: usize = 32;
/// How long the userinfo endpoint may take. The tokens are not stored before, and the browser waits too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who has signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name, for people.
    pub name: Option<String>,
    /// `sub`: the provider's own word for the account, which stays when the name changes.
    pub subject: Option<String>,
}

/// What came with the tokens and may tell whose they are. Without the tokens themselves.
#[derive(Clone, Default)]
pub struct Told {
    /// The claims of the ID token.
    claims: Value,
    /// The other members of the answer.
    members: Value,
}

// Names of people, and whatever else a server sends along.
impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

/// An endpoint that tells more (OpenID Connect Core section 5.3, or the provider's own).
#[derive(Debug, Clone, Copy)]
pub struct Userinfo<'a> {
    /// Its address.
    pub url: &'a Url,
    /// The fresh access token, a bearer token.
    pub access: &'a SecretString,
    /// Where requests may go (D1).
    pub reach: &'a Reach,
}

impl Told {
    /// Reads the members of a token answer.
    pub(super) fn read(mut members: Map<String, Value>) -> Told {
        let id_token = members.remove("id_token");
        members.retain(|name, _| !is_secret(name));
        let claims = id_token.as_ref().and_then(Value::as_str).and_then(claims).unwrap_or_default();
        Told { claims, members: members.into() }
    }

    /// `instance_url`: where the account's own API is (Salesforce). Shown, and never connected to by us.
    pub fn instance(&self) -> Option<String> {
        let url = Url::parse(self.members.get("instance_url")?.as_str()?).ok()?;
        let good = url.scheme() == "https" && http::check(&url).is_ok();
        good.then(|| http::show(&url).trim_end_matches('/').to_owned())
    }
}

/// Finds out who has signed in. `places`: where to look, instead of the usual ones. The userinfo endpoint is
/// asked when its turn comes, once; that it does not answer is no failure of anything.
pub async fn find(told: &Told, places: &[String], userinfo: Option<Userinfo<'_>>) -> Identity {
    let usual: Vec<_>;
    let places: Vec<&str> = match places {
        [] => {
            usual = USUAL.to_vec();
            usual
        }
        stated => stated.iter().map(String::as_str).collect(),
    };
    let mut asked = None;
    let mut found = None;
    for place in places {
        let Some((source, path)) = place.split_once('.') else { continue };
        let value = match source {
            "id_token" => &told.claims,
            "token" => &told.members,
            "userinfo" => {
                if asked.is_none() {
                    asked = Some(answer(told, userinfo).await);
                }
                asked.as_ref().unwrap_or(&Value::Null)
            }
            _ => continue,
        };
        found = at(value, path).and_then(|value| name(value, place));
        if found.is_some() {
            break;
        }
    }
    let subject = subject(&told.claims).or_else(|| subject(asked.as_ref()?));
    Identity { name: found, subject }
}

/// What the userinfo endpoint says; nothing, if it does not.
async fn answer(told: &Told, userinfo: Option<Userinfo<'_>>) -> Value {
    let Some(userinfo) = userinfo else { return Value::Null };
    let late = || Error::new(Name::Timeout, "it did not answer in time");
    let asked = tokio::time::timeout(PATIENCE, ask(userinfo)).await.unwrap_or_else(|_| Err(late()));
    let answer = asked.unwrap_or_else(|error| {
        tracing::debug!("the name of the account is not known from the userinfo endpoint: {error}");
        Value::Null
    });
    // OpenID Connect Core section 5.3.2: an answer about somebody else is not used.
    match (subject(&told.claims), subject(&answer)) {
        (Some(ours), Some(theirs)) if ours != theirs => Value::Null,
        _ => answer,
    }
}

/// One request, never redirected: the token goes to this address and no other.
async fn ask(Userinfo { url, access, reach }: Userinfo<'_>) -> Result<Value> {
    let host = url.host_str().unwrap_or_default();
    let unusable = |why: String| Error::new(Name::BadResponse, format!("{host} {why}"));
    let mut token = HeaderValue::from_str(&format!("Bearer {}", access.expose_secret()))
        .map_err(|_| unusable("cannot be shown this token".to_owned()))?;
    token.set_sensitive(true);
    let request = http::oauth(url, reach).await?.get(url.clone());
    let request = request.header(AUTHORIZATION, token).header(ACCEPT, "application/json");
    let response = request.send().await.map_err(|error| http::transport(&error, host))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(unusable(format!("answered {status}")));
    }
    let body = http::read(response, http::TOKEN_ANSWER_LIMIT).await?;
    object(&body).ok_or_else(|| unusable("answered with something else than an object".to_owned()))
}

/// The claims of an ID token. By hand and not with the JWT library, which refuses algorithms that it does not
/// know, although no signature is looked at here.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1).filter(|_| token.len() <= LARGEST)?;
    object(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?)
}

fn object(text: &[u8]) -> Option<Value> {
    let value = serde_json::from_slice(text).ok().filter(|_| !depth::exceeds(text, DEEPEST))?;
    Some(value).filter(Value::is_object)
}

/// What lies at a path; first as the one name that it may be (`https://example.com/email`).
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let member = |name: &str| match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        value => value.get(name).filter(|_| !is_secret(name)),
    };
    member(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        at(member(first)?, rest)
    })
}

/// Whether a member holds what must not be shown, whatever a profile says: Slack has tokens beside names.
fn is_secret(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    member.contains("token") && member != "token_type" || member.contains("secret") || member == "code"
}

/// A name out of a value: cleaned, and short enough to be one.
fn name(value: &Value, place: &str) -> Option<String> {
    let text = match value {
        Value::String(text) => clean(text),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text = match place {
        "token.id" => salesforce_user(&text)?,
        "id_token.sub" | "userinfo.sub" if text.chars().count() > LONGEST_SUBJECT => return None,
        _ => text.chars().take(LONGEST).collect::<String>().trim().to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// The user in Salesforce's identity URL, `https://login.salesforce.com/id/ORGANIZATION/USER`. An `id` of
/// another form may be that of the grant, and another one at each sign-in.
fn salesforce_user(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https")?;
    match url.path_segments()?.collect::<Vec<_>>()[..] {
        ["id", _, user] if !user.is_empty() && user.len() <= LONGEST_SUBJECT => Some(user.to_owned()),
        _ => None,
    }
}

/// `sub`, at most 255 characters long (OpenID Connect Core section 2).
fn subject(value: &Value) -> Option<String> {
    let subject = clean(value.get("sub")?.as_str()?);
    (!subject.is_empty() && subject.len() <= 255).then_some(subject)
}

#[cfg(test)]
mod tests;
