//! The ledger of sign-ins: each is a *family* of token pairs, each pair a *generation* of it.
//!
//! A value without clock, options or network of its own: the time comes in with each call, so that
//! lifetimes and grace are tested without waiting. Every pair remembers its parent, because grace
//! is a statement about a pair and its direct successors (security.md 5.2).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use super::options::{Grace, Options};
use super::scope::Scope;
use super::secret::{self, Print};

/// Pairs kept. Beyond it the oldest is forgotten, and its tokens become unknown ones.
const KEPT: usize = 50_000;

/// One sign-in and one pair in it: (family, generation).
pub(super) type Place = (u64, u64);

/// A pair as it is handed out.
pub(super) struct Issued {
    pub(super) access: SecretString,
    pub(super) refresh: SecretString,
    pub(super) expires_in: Duration,
    pub(super) scope: Scope,
    pub(super) place: Place,
}

/// What a refresh comes to.
pub(super) enum Refresh {
    /// A new pair.
    Rotated(Issued),
    /// A pair out of grace.
    Graced(Issued),
    /// The token was used before; `revoked` says whether the family just ended for it.
    Reused { revoked: bool },
    /// The token is unknown, expired or revoked. Says which.
    Refused(&'static str),
    /// More scope than was granted.
    TooMuchScope,
}

/// A good access token.
pub(super) struct Access {
    pub(super) place: Place,
    pub(super) scope: Scope,
}

/// A refused access token: which, if it is known, and why.
pub(super) struct Denied(pub(super) Option<Place>, pub(super) &'static str);

#[derive(Default)]
pub(super) struct Ledger {
    families: BTreeMap<u64, Family>,
    index: HashMap<Print, (Place, bool)>,
    order: VecDeque<Place>,
    last: u64,
}

struct Family {
    client: String,
    scope: Scope,
    generation: u64,
    pairs: BTreeMap<u64, Pair>,
    revoked: bool,
}

struct Pair {
    access: SecretString,
    refresh: SecretString,
    scope: Scope,
    parent: u64,
    issued: Instant,
    access_until: Instant,
    refresh_until: Instant,
    rotated: Option<Instant>,
    used: bool,
    access_revoked: bool,
}

impl Ledger {
    /// Begins a sign-in with its first pair.
    pub(super) fn begin(&mut self, client: &str, scope: &Scope, options: &Options, now: Instant) -> Issued {
        self.last += 1;
        let family = Family {
            client: client.to_owned(),
            scope: scope.clone(),
            generation: 0,
            pairs: BTreeMap::new(),
            revoked: false,
        };
        self.families.insert(self.last, family);
        self.issue((self.last, 0), scope.clone(), options, now)
    }

    /// The pair that a refresh token belongs to, whatever its state.
    pub(super) fn place_of_refresh(&self, token: &str) -> Option<Place> {
        self.index.get(&secret::print(token)).filter(|(_, access)| !access).map(|(place, _)| *place)
    }

    /// Spends the refresh token at `place`.
    pub(super) fn refresh(
        &mut self,
        place: Place,
        scope: Option<Scope>,
        options: &Options,
        now: Instant,
    ) -> Refresh {
        let Some(family) = self.families.get_mut(&place.0) else {
            return Refresh::Refused("the refresh token is not known");
        };
        let untouched = |pair: &Pair| pair.parent != place.1 || pair.rotated.is_none();
        let unused = |pair: &Pair| pair.parent != place.1 || !pair.used;
        let (direct, unused) = (family.pairs.values().all(untouched), family.pairs.values().all(unused));
        let child = family.pairs.iter().find(|(_, pair)| pair.parent == place.1).map(|(number, _)| *number);
        let granted = family.scope.clone();
        let revoked = family.revoked;
        let Some(pair) = family.pairs.get_mut(&place.1) else {
            return Refresh::Refused("the refresh token is not known");
        };
        if revoked {
            return Refresh::Refused("the sign-in was revoked");
        }
        if now >= pair.refresh_until {
            return Refresh::Refused("the refresh token has expired");
        }
        let scope = scope.unwrap_or_else(|| granted.clone());
        if !granted.covers_all_of(&scope) {
            return Refresh::TooMuchScope;
        }
        let Some(first) = pair.rotated else {
            pair.rotated = Some(now);
            pair.used = true;
            return Refresh::Rotated(self.issue(place, scope, options, now));
        };
        match (options.grace, child) {
            (Grace::For(grace), _) if direct && now.duration_since(first) <= grace => {
                Refresh::Graced(self.issue(place, scope, options, now))
            }
            (Grace::UntilUsed, Some(child)) if unused => match self.again((place.0, child), now) {
                Some(issued) => Refresh::Graced(issued),
                None => Refresh::Refused("the refresh token is not known"),
            },
            _ => Refresh::Reused { revoked: options.revoke_family_on_reuse && self.revoke(place.0) },
        }
    }

    /// Judges an access token and notes that its pair is in use.
    pub(super) fn check(&mut self, token: &str, options: &Options, now: Instant) -> Result<Access, Denied> {
        if !token.starts_with("chipp_at_") {
            return Err(Denied(None, "malformed"));
        }
        let Some(&(place, true)) = self.index.get(&secret::print(token)) else {
            return Err(Denied(None, "unknown"));
        };
        let deny = |why| Err(Denied(Some(place), why));
        let Some(family) = self.families.get_mut(&place.0) else { return deny("unknown") };
        let Some(pair) = family.pairs.get_mut(&place.1) else { return deny("unknown") };
        if family.revoked || pair.access_revoked {
            return deny("revoked");
        }
        if now >= pair.access_until {
            return deny("expired");
        }
        if options.reject_early.is_some_and(|early| now.duration_since(pair.issued) >= early) {
            return deny("early");
        }
        pair.used = true;
        Ok(Access { place, scope: pair.scope.clone() })
    }

    /// The client that a token (of either kind) was issued to.
    pub(super) fn owner(&self, token: &str) -> Option<(Place, &str)> {
        let (place, _) = *self.index.get(&secret::print(token))?;
        Some((place, &self.families.get(&place.0)?.client))
    }

    /// Revokes one token (RFC 7009): a refresh token ends the family, an access token only itself.
    /// Returns whether a family ended.
    pub(super) fn revoke_token(&mut self, token: &str) -> bool {
        let Some(&(place, access)) = self.index.get(&secret::print(token)) else { return false };
        if !access {
            return self.revoke(place.0);
        }
        if let Some(pair) = self.families.get_mut(&place.0).and_then(|family| family.pairs.get_mut(&place.1))
        {
            pair.access_revoked = true;
        }
        false
    }

    /// Ends a family. Returns whether it was alive.
    pub(super) fn revoke(&mut self, family: u64) -> bool {
        self.families.get_mut(&family).is_some_and(|family| !std::mem::replace(&mut family.revoked, true))
    }

    /// Ends every family. Returns how many were alive.
    pub(super) fn revoke_all(&mut self) -> u64 {
        let all: Vec<u64> = self.families.keys().copied().collect();
        all.into_iter().map(|family| u64::from(self.revoke(family))).sum()
    }

    fn issue(&mut self, parent: Place, scope: Scope, options: &Options, now: Instant) -> Issued {
        let access: SecretString = secret::fresh("chipp_at_").into();
        let refresh: SecretString = secret::fresh("chipp_rt_").into();
        let generation = self.families.get_mut(&parent.0).map_or(1, |family| {
            family.generation += 1;
            let pair = Pair {
                access: access.clone(),
                refresh: refresh.clone(),
                scope: scope.clone(),
                parent: parent.1,
                issued: now,
                access_until: later(now, options.access_lifetime),
                refresh_until: later(now, options.refresh_lifetime),
                rotated: None,
                used: false,
                access_revoked: false,
            };
            family.pairs.insert(family.generation, pair);
            family.generation
        });
        let place = (parent.0, generation);
        self.index.insert(secret::print(access.expose_secret()), (place, true));
        self.index.insert(secret::print(refresh.expose_secret()), (place, false));
        self.order.push_back(place);
        if self.order.len() > KEPT {
            self.forget_oldest();
        }
        Issued { access, refresh, expires_in: options.access_lifetime, scope, place }
    }

    fn again(&self, place: Place, now: Instant) -> Option<Issued> {
        let pair = self.families.get(&place.0)?.pairs.get(&place.1)?;
        Some(Issued {
            access: pair.access.clone(),
            refresh: pair.refresh.clone(),
            expires_in: pair.access_until.saturating_duration_since(now),
            scope: pair.scope.clone(),
            place,
        })
    }

    fn forget_oldest(&mut self) {
        let Some(place) = self.order.pop_front() else { return };
        let Some(family) = self.families.get_mut(&place.0) else { return };
        if let Some(pair) = family.pairs.remove(&place.1) {
            self.index.remove(&secret::print(pair.access.expose_secret()));
            self.index.remove(&secret::print(pair.refresh.expose_secret()));
        }
        if family.pairs.is_empty() {
            self.families.remove(&place.0);
        }
    }
}

/// A lifetime beyond what the clock can express ends in ten years.
fn later(now: Instant, lifetime: Duration) -> Instant {
    now.checked_add(lifetime).unwrap_or_else(|| now + Duration::from_secs(10 * 365 * 24 * 3600))
}

#[cfg(test)]
mod tests;
