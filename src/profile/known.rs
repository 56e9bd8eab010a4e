//! What a target says to whoever looks for its authorization server.

use super::{Pkce, Target};
use crate::oauth::discovery::Known;

impl Target {
    /// Everything that is known of its authorization server beforehand.
    pub fn known(&self) -> Known {
        Known {
            choice: self.resource.clone(),
            issuer: self.issuer.clone(),
            endpoints: self.endpoints.clone(),
            named: self.named(),
            documented: self.documented.clone(),
            pkce_unverified: self.pkce_unverified,
            pkce_refused: self.pkce == Pkce::Omit,
            machine: self.grant.is_repeatable(),
            ..Known::new(self.url.clone(), self.canonical())
        }
    }
}
