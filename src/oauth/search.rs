//! Finds the token request style that a server takes (`token_style = "auto"`), by trying.
//!
//! The risk is the code: it works once, and some servers count every request that carries it. RFC 6749
//! section 3.2.1 has the client authenticated before its code is looked at, so a server that keeps to it
//! answers `invalid_client` and leaves the code as it is; one that looks the code up first has burned it by the
//! time it refuses the client. Nobody can see from outside which one this is. So:
//!
//! 1. The likeliest style goes first ([`order`]), because only the first try is sure to find the code unspent.
//! 2. The next one is tried only after an answer that speaks against the client or against the form of the
//!    request ([`Against`]): such an answer was given without a look at the code, or by a server that burns it.
//!    Everything else ends the search. `invalid_grant` at the first try is a verdict on the code in a style
//!    that was understood; after 5xx, 429, a timeout or a broken connection nobody knows what became of the
//!    code; a redirect is not followed with secrets (T1).
//! 3. `invalid_grant` after a refused try means that this style is the right one, and that an earlier try has
//!    burned the code ([`Missed::spent`]). One more authorization in this style alone brings the tokens.
//!
//! A server that burns codes and names no reason for anything looks the same in each style, and only the first
//! try proves something there: the next sign-in begins with another style, until each has met a fresh code.
//!
//! Every try goes to the one token endpoint, with the secret in one place of each request. A refresh never
//! searches: a refresh token is worth more than a code, and its record has the style.

use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Against, Cause, Issued, Refusal};
use super::device::{self, Device};
use super::wire::{self, Code, Endpoint};
use crate::credential::{Client, TokenStyle};
use crate::error::{Error, Name, Result};

/// No try begins later than this after the first: codes live for a minute in places, and somebody waits. With
/// the limit of a request, the last one ends half a minute later.
const HURRY: Duration = Duration::from_secs(60);

/// The styles, in the order of the providers' own advice: "try form_post first".
const ALL: [TokenStyle; 4] =
    [TokenStyle::FormPost, TokenStyle::FormBasic, TokenStyle::JsonBasic, TokenStyle::Json];

/// What came of a search.
#[derive(Debug)]
pub struct Found<T> {
    /// The answer.
    pub answer: T,
    /// The style in which it came.
    pub style: TokenStyle,
}

/// Why a search found nothing.
#[derive(Debug)]
pub struct Missed {
    /// The answer that ended it, or the most telling one if all styles were refused.
    pub refusal: Refusal,
    /// The styles that were tried, in order.
    pub tried: Vec<TokenStyle>,
    /// The last of them is the right one, and an earlier try has burned the code.
    pub spent: bool,
}

impl From<Error> for Missed {
    fn from(error: Error) -> Self {
        Missed { refusal: error.into(), tried: Vec::new(), spent: false }
    }
}

/// What is known of a client at a token endpoint before anything is tried.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// `token_endpoint_auth_methods_supported` (RFC 8414 section 2), if the server says.
    pub methods: Option<&'a [String]>,
    /// The style that worked the last time.
    pub worked: Option<TokenStyle>,
    /// Those that were refused with a fresh code, by a server that named no reason.
    pub refused: &'a [TokenStyle],
}

/// The styles to try, likeliest first: what worked the last time, which is a proof; then what the metadata
/// names, which is a claim, and one about forms only; then the others; and at the end what has been refused
/// before. A client that has no secret to place, or proves itself by a key, can only be wrong about form and
/// JSON.
pub fn order(client: &Client, known: Known<'_>) -> Vec<TokenStyle> {
    let named = |style: TokenStyle| {
        let method = match style {
            TokenStyle::FormPost => "client_secret_post",
            TokenStyle::FormBasic => "client_secret_basic",
            TokenStyle::Json | TokenStyle::JsonBasic => return false,
        };
        known.methods.is_some_and(|methods| methods.iter().any(|named| named == method))
    };
    let has_choice = client.secret.is_some() && client.key.is_none();
    let mut styles: Vec<_> = ALL.into_iter().filter(|style| has_choice || !style.is_basic()).collect();
    styles.sort_by_key(|style| (Some(*style) != known.worked, known.refused.contains(style), !named(*style)));
    styles
}

/// Exchanges a code, in the first of the styles that the server takes.
///
/// # Errors
/// See [`Missed`].
pub async fn exchange(
    endpoint: Endpoint<'_>,
    code: Code,
    styles: &[TokenStyle],
) -> Result<Found<Issued>, Missed> {
    let form = endpoint.redemption(code).await?;
    each(endpoint, styles, async |endpoint| wire::ask(endpoint, form.clone()).await).await
}

/// Asks for a device code, likewise; `endpoint.url` is the device authorization endpoint, where the client
/// authenticates as it does at the token endpoint (RFC 8628 section 3.1). Nothing can be burned by it.
///
/// # Errors
/// See [`Missed`].
pub async fn start(
    endpoint: Endpoint<'_>,
    scope: Option<&str>,
    styles: &[TokenStyle],
) -> Result<Found<Device>, Missed> {
    each(endpoint, styles, async |endpoint| device::start(endpoint, scope).await).await
}

async fn each<T>(
    endpoint: Endpoint<'_>,
    styles: &[TokenStyle],
    ask: impl AsyncFn(Endpoint<'_>) -> Result<T, Refusal>,
) -> Result<Found<T>, Missed> {
    let begun = Instant::now();
    let mut tried = Vec::new();
    let mut kept: Option<Refusal> = None;
    for &style in styles {
        if begun.elapsed() >= HURRY && kept.is_some() {
            break;
        }
        tried.push(style);
        let client = Client { style, ..endpoint.client.clone() };
        let refusal = match ask(Endpoint { client: &client, ..endpoint }).await {
            Ok(answer) => return Ok(Found { answer, style }),
            Err(refusal) => refusal,
        };
        if !goes_on(&refusal) {
            let spent = refusal.cause == Cause::InvalidGrant && tried.len() > 1;
            return Err(Missed { refusal, tried, spent });
        }
        tracing::debug!("the token endpoint does not take {}: {}", style.name(), refusal.error);
        kept = Some(match kept {
            Some(kept) if tells_more(&kept, &refusal) => kept,
            _ => refusal,
        });
    }
    let refusal = kept.ok_or_else(|| Error::new(Name::Internal, "there is no style to try"))?;
    Err(Missed { refusal, tried, spent: false })
}

/// Whether another style may be tried after this answer.
pub(super) fn goes_on(refusal: &Refusal) -> bool {
    // An answer with tokens in it was no refusal, whatever else it says.
    refusal.against != Against::Nothing && refusal.salvaged.is_none()
}

/// Whether the first of two refusals tells the user more: one that names the client, or else any reason.
fn tells_more(first: &Refusal, second: &Refusal) -> bool {
    let worth = |refusal: &Refusal| match refusal.against {
        Against::Client => 2,
        _ => u8::from(!refusal.said.is_empty()),
    };
    worth(first) >= worth(second)
}

#[cfg(test)]
mod tests {
    use TokenStyle::{FormBasic, FormPost, Json, JsonBasic};

    use super::*;

    fn ordered(secret: bool, methods: &[&str], remembered: Option<TokenStyle>) -> Vec<TokenStyle> {
        let client = Client { secret: secret.then(|| "s".into()), ..Client::default() };
        let methods: Vec<_> = methods.iter().map(|method| (*method).to_owned()).collect();
        let methods = Some(methods.as_slice()).filter(|methods| !methods.is_empty());
        order(&client, Known { methods, worked: remembered, refused: &[] })
    }

    #[test]
    fn the_likeliest_style_goes_first() {
        assert_eq!(ordered(true, &[], None), [FormPost, FormBasic, JsonBasic, Json]);
        assert_eq!(ordered(true, &["client_secret_basic"], None), [FormBasic, FormPost, JsonBasic, Json]);
        let both = ["client_secret_basic", "client_secret_post", "none"];
        assert_eq!(ordered(true, &both, None), [FormPost, FormBasic, JsonBasic, Json]);
        assert_eq!(ordered(true, &["private_key_jwt"], None), [FormPost, FormBasic, JsonBasic, Json]);
        assert_eq!(ordered(true, &both[..1], Some(Json)), [Json, FormBasic, FormPost, JsonBasic]);
        assert_eq!(ordered(true, &[], Some(JsonBasic)), [JsonBasic, FormPost, FormBasic, Json]);
    }

    #[test]
    fn what_was_refused_with_a_fresh_code_goes_last() {
        let client = Client { secret: Some("s".into()), ..Client::default() };
        let after = |refused: &[TokenStyle]| order(&client, Known { refused, ..Known::default() });
        assert_eq!(after(&[FormPost]), [FormBasic, JsonBasic, Json, FormPost]);
        assert_eq!(after(&[FormPost, FormBasic]), [JsonBasic, Json, FormPost, FormBasic]);
        assert_eq!(after(&ALL), ALL);
    }

    #[test]
    fn a_client_without_a_secret_to_place_has_two_styles() {
        assert_eq!(ordered(false, &both(), None), [FormPost, Json]);
        assert_eq!(ordered(false, &[], Some(Json)), [Json, FormPost]);
        // A note of a time when it had one.
        assert_eq!(ordered(false, &[], Some(FormBasic)), [FormPost, Json]);
        let client = Client { secret: Some("s".into()), key: Some("k".into()), ..Client::default() };
        assert_eq!(order(&client, Known::default()), [FormPost, Json]);
    }

    fn both() -> [&'static str; 2] {
        ["client_secret_basic", "none"]
    }
}
