//! Signing in with any browser, on any computer: the device authorization grant (RFC 8628).
//!
//! The user types a short code into a page of the server; meanwhile the token endpoint is asked, again and
//! again, at the pace that the server sets. There is no PKCE and no callback: the device code is the secret,
//! and it never leaves this program but for the server that issued it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::answer::{Cause, Issued, Refusal};
use super::message::Message;
use super::search::{self, Found, Missed};
use super::wire::{self, Endpoint};
use crate::credential::{Client, TokenStyle};
use crate::error::{Error, Name, clean};
use crate::http::retry_after::Wait;

/// The grant type (section 3.4).
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The pace where the server sets none (section 3.2), and what `slow_down` adds to it (section 3.5).
const STEP: Duration = Duration::from_secs(5);
/// The slowest pace, whatever the server or its troubles ask for.
const SLOWEST: Duration = Duration::from_secs(60);
/// How long a code is believed to live where the server does not say.
const LIFETIME: u64 = 300;
/// The longest life believed, in seconds.
const LONGEST: u64 = 3600;
/// The longest user code, in characters.
const LONGEST_CODE: usize = 64;

/// A sign-in that waits for its user (section 3.2).
#[derive(Debug)]
pub struct Device {
    code: SecretString,
    /// What the user types in, cleaned.
    pub user_code: String,
    /// Where. Not checked yet: the caller knows what may be shown.
    pub page: Url,
    /// The same page with the code filled in, if the server has that.
    pub filled: Option<Url>,
    /// How long the code lives.
    pub lifetime: Duration,
    interval: Duration,
}

/// Asks for a code; `endpoint.url` is the device authorization endpoint (section 3.1).
///
/// # Errors
/// What the server says against it, or `bad-response`.
pub async fn start(endpoint: Endpoint<'_>, scope: Option<&str>) -> Result<Device, Refusal> {
    let mut form = Vec::new();
    form.extend(scope.map(|scope| ("scope".to_owned(), scope.to_owned())));
    form.extend(endpoint.resource.map(|resource| ("resource".to_owned(), resource.to_owned())));
    let received = Message::new(endpoint, form).send().await?;
    match read(&received.body).filter(|_| (200..300).contains(&received.status)) {
        Some(device) => Ok(device),
        None => Err(match received.read() {
            Err(refusal) if refusal.error.name() != Name::BadResponse => refusal,
            _ => {
                let host = endpoint.url.host_str().unwrap_or_default();
                let what = format!("the device authorization answer of {host} cannot be understood");
                Error::new(Name::BadResponse, what).into()
            }
        }),
    }
}

/// Reads the answer. Pure.
fn read(body: &[u8]) -> Option<Device> {
    let members: serde_json::Map<String, Value> = serde_json::from_slice(body).ok()?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let seconds = |name: &str| match members.get(name)? {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_f64(),
    };
    let user_code = clean(text("user_code")?);
    // Google calls it by an older name.
    let page = text("verification_uri").or_else(|| text("verification_url"))?;
    let whole = |value: f64, longest: u64| (value.max(1.0) as u64).min(longest);
    (user_code.chars().count() <= LONGEST_CODE && !user_code.is_empty()).then_some(())?;
    Some(Device {
        code: text("device_code")?.into(),
        user_code,
        page: Url::parse(page).ok()?,
        filled: text("verification_uri_complete").and_then(|page| Url::parse(page).ok()),
        lifetime: Duration::from_secs(seconds("expires_in").map_or(LIFETIME, |life| whole(life, LONGEST))),
        interval: seconds("interval")
            .map_or(STEP, |pace| Duration::from_secs(whole(pace, SLOWEST.as_secs()))),
    })
}

impl Device {
    /// Asks until the user has decided; `endpoint` is the token endpoint. It ends with the life of the code
    /// at the latest. Trouble on the way is no answer (section 3.5): it only slows the questions down.
    ///
    /// # Errors
    /// A [`Refusal`]; `login-timeout` when the code has ended, `login-denied` when the user said no.
    pub async fn wait(&self, endpoint: Endpoint<'_>) -> Result<Issued, Refusal> {
        let style = [endpoint.client.style];
        self.wait_in(endpoint, &style).await.map(|found| found.answer).map_err(|missed| missed.refusal)
    }

    /// The same, in the first of the styles that the server takes. A try is a question like any other: it waits
    /// for its turn, and spends nothing, since a device code lives until the user has decided. Once the server
    /// has understood a question, the style is found.
    ///
    /// # Errors
    /// As [`Device::wait`].
    pub async fn wait_in(
        &self,
        endpoint: Endpoint<'_>,
        styles: &[TokenStyle],
    ) -> Result<Found<Issued>, Missed> {
        let mut pace = Pace { interval: self.interval, trouble: 0 };
        let mut pause = self.interval;
        let mut left = styles.iter().copied().peekable();
        let mut style = left.next().unwrap_or_default();
        let mut understood = false;
        let mut tried = vec![style];
        let asking = async {
            loop {
                tokio::time::sleep(pause).await;
                let client = Client { style, ..endpoint.client.clone() };
                let refusal = match self.ask(Endpoint { client: &client, ..endpoint }).await {
                    Ok(answer) => return Ok(Found { answer, style }),
                    Err(refusal) => refusal,
                };
                understood |= matches!(refusal.cause, Cause::Pending | Cause::SlowDown);
                let goes_on = !understood && search::goes_on(&refusal);
                pause = match left.next_if(|_| goes_on) {
                    Some(next) => {
                        style = next;
                        tried.push(next);
                        pace.interval
                    }
                    None => pace.after(&refusal).ok_or_else(|| named(refusal))?,
                };
            }
        };
        let outcome = tokio::time::timeout(self.lifetime, asking).await;
        let outcome = outcome.unwrap_or_else(|_| Err(ended().into()));
        outcome.map_err(|refusal| Missed { refusal, tried, spent: false })
    }

    async fn ask(&self, endpoint: Endpoint<'_>) -> Result<Issued, Refusal> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut form = vec![pair("grant_type", GRANT), pair("device_code", self.code.expose_secret())];
        form.extend(endpoint.resource.map(|resource| pair("resource", resource)));
        wire::ask(endpoint, form).await
    }
}

/// How fast the questions may come.
struct Pace {
    interval: Duration,
    /// How many questions in a row met with trouble.
    trouble: u32,
}

impl Pace {
    /// The pause before the next question; none if there is nothing more to ask.
    fn after(&mut self, refusal: &Refusal) -> Option<Duration> {
        let wait = match refusal.cause {
            Cause::Pending => None,
            Cause::SlowDown => {
                self.interval = (self.interval + STEP).min(SLOWEST);
                None
            }
            Cause::Busy(wait) => Some(wait.map(Wait::duration)),
            _ if is_trouble(refusal.error.name()) => Some(None),
            _ => return None,
        };
        let Some(wait) = wait else {
            self.trouble = 0;
            return Some(self.interval);
        };
        self.trouble = (self.trouble + 1).min(6);
        let slower = self.interval * 2_u32.pow(self.trouble);
        Some(slower.max(wait.unwrap_or_default()).min(SLOWEST.max(self.interval)))
    }
}

/// Nothing that the authorization server said.
fn is_trouble(name: Name) -> bool {
    matches!(name, Name::NetworkDown | Name::Timeout | Name::ServerBusy | Name::CaptivePortal)
}

/// What the end of a code means for the user.
fn named(refusal: Refusal) -> Refusal {
    match refusal.cause {
        Cause::Expired => ended().into(),
        Cause::Denied => Error::new(Name::LoginDenied, "the sign-in was refused").into(),
        Cause::InvalidGrant => {
            let what = format!("the server did not accept its own device code: {}", refusal.said);
            Error::new(Name::LoginDenied, what).into()
        }
        _ => refusal,
    }
}

fn ended() -> Error {
    Error::new(Name::LoginTimeout, "nobody entered the code before it ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_tolerantly() {
        let device = read(
            br#"{"device_code":"d","user_code":" WDJB-\u001b[31mMJHT ","verification_url":"https://e.com/device",
                "expires_in":"900","interval":0}"#,
        )
        .unwrap();
        assert_eq!(device.user_code, "WDJB- [31mMJHT");
        assert_eq!((device.lifetime.as_secs(), device.interval.as_secs()), (900, 1));
        assert!(device.filled.is_none());
        let device = read(
            br#"{"device_code":"d","user_code":"A","verification_uri":"https://e.com/d","expires_in":1e300,
                "verification_uri_complete":"https://e.com/d?c=A","interval":1e9}"#,
        )
        .unwrap();
        assert_eq!((device.lifetime.as_secs(), device.interval), (LONGEST, SLOWEST));
        assert!(device.filled.is_some());
        let device =
            read(br#"{"device_code":"d","user_code":"A","verification_uri":"https://e.com/d"}"#).unwrap();
        assert_eq!((device.lifetime.as_secs(), device.interval), (LIFETIME, STEP));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"device_code":"","user_code":"A","verification_uri":"https://e.com/d"}"#,
            r#"{"device_code":"d","user_code":"","verification_uri":"https://e.com/d"}"#,
            r#"{"device_code":"d","user_code":"A","verification_uri":"device"}"#,
            r#"{"device_code":"d","verification_uri":"https://e.com/d"}"#,
        ] {
            assert!(read(bad.as_bytes()).is_none(), "{bad}");
        }
        let long = format!(
            r#"{{"device_code":"d","user_code":"{}","verification_uri":"https://e.com/d"}}"#,
            "x".repeat(65)
        );
        assert!(read(long.as_bytes()).is_none());
    }

    proptest::proptest! {
        /// Whatever comes, it is bounded.
        #[test]
        fn any_answer_is_read(life in "-?[0-9]{0,25}(\\.[0-9]+)?(e[0-9]{1,4})?|nan|inf|null|\"[a-z0-9]{0,9}\"") {
            let text = format!(
                r#"{{"device_code":"d","user_code":"A","verification_uri":"https://e.com/d","expires_in":{life},"interval":"{}"}}"#,
                life.replace('"', "")
            );
            if let Some(device) = read(text.as_bytes()) {
                proptest::prop_assert!((1..=LONGEST).contains(&device.lifetime.as_secs()));
                proptest::prop_assert!((1..=SLOWEST.as_secs()).contains(&device.interval.as_secs()));
            }
        }
    }

    // RFC 8628 section 3.5.
    #[test]
    fn the_pace_is_the_servers_and_trouble_slows_it_down() {
        let refusal = |cause| Refusal { cause, ..Error::new(Name::ServerError, "").into() };
        let mut pace = Pace { interval: Duration::from_secs(2), trouble: 0 };
        let mut after = |refusal: Refusal| pace.after(&refusal).map(|pause| pause.as_secs());
        assert_eq!(after(refusal(Cause::Pending)), Some(2));
        assert_eq!(after(refusal(Cause::SlowDown)), Some(7));
        assert_eq!(after(refusal(Cause::Pending)), Some(7), "for all questions to come");
        assert_eq!(after(Error::new(Name::NetworkDown, "").into()), Some(14));
        assert_eq!(after(Error::new(Name::Timeout, "").into()), Some(28));
        assert_eq!(after(refusal(Cause::Busy(None))), Some(56));
        assert_eq!(after(refusal(Cause::Busy(None))), Some(60));
        assert_eq!(after(refusal(Cause::Pending)), Some(7), "until the server answers again");
        let wait = Wait::of(Duration::from_secs(40));
        assert_eq!(after(refusal(Cause::Busy(Some(wait)))), Some(40));
        for end in [Cause::Expired, Cause::Denied, Cause::InvalidClient, Cause::InvalidGrant, Cause::Failed] {
            assert_eq!(after(refusal(end)), None, "{end:?}");
        }
        assert_eq!(after(Error::new(Name::TlsFailed, "").into()), None);
    }
}
