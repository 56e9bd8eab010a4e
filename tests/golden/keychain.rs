//! Real keychains that cannot be used.

use chipp_auth::sandbox::Options;

use crate::frame::Seen;
use crate::house::{House, wait};
use crate::support::require;
use crate::support::secret_service::{PROGRAMS, SecretService};

/// `token` on this bus, from the keychain.
fn on(service: &SecretService) -> Seen {
    at(&House::new(Options::default()), service)
}

fn at(house: &House, service: &SecretService) -> Seen {
    Seen::twice(&["token", "--store", "keychain"], |args| {
        let bus = service.env().into_iter().filter(|(name, _)| *name != "HOME");
        wait(house.command(args).envs(bus).spawn().unwrap())
    })
    .at(house)
}

pub fn locked() -> Option<Seen> {
    require(PROGRAMS).then(|| {
        let service = SecretService::start();
        // A locked keyring still tells that nothing of ours is in it: so there has to be something.
        let house = House::new(Options::default());
        let user = format!("default {}", house.sandbox.base().as_str().trim_end_matches('/'));
        service.secret_tool_store("chipp-auth", &["service", "chipp-auth", "username", &user], "a record");
        service.lock();
        at(&house, &service)
    })
}

pub fn missing() -> Option<Seen> {
    require(PROGRAMS).then(|| on(&SecretService::bus_only()))
}

pub fn stopped() -> Option<Seen> {
    require(PROGRAMS).then(|| {
        let service = SecretService::start();
        service.stop();
        let seen = on(&service);
        service.resume();
        seen
    })
}
