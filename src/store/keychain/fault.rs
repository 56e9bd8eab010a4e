//! Names what a keychain refused, from what the stores of `keyring` say.
//!
//! The causes come as opaque errors, so some are told apart by their text: by the names of D-Bus errors and
//! of the Secret Service library's variants, which are as fixed as an interface. `tests/keychain.rs` checks
//! them against a real daemon. No fault is formatted as a whole, since some carry the secret.

use std::time::Duration;

use keyring_core::Error as Fault;

use crate::error::{Error, Name, clean};

/// A prompt that could not be shown is answered with "dismissed" within this time (65 ms were measured); a
/// person who dismisses one needs longer.
const NOBODY: Duration = Duration::from_secs(1);

pub(super) fn name(fault: &Fault, waited: Duration) -> Error {
    match fault {
        Fault::NoStorageAccess(cause) => match format!("{cause:?}").as_str() {
            "NoResult" => Error::new(Name::KeychainMissing, "the Secret Service has no default keyring")
                .hinted("create a keyring named Login (for instance with Seahorse) and make it the default, or choose the encrypted file with `--store file`"),
            "Prompt" if waited >= NOBODY => {
                Error::new(Name::KeychainDenied, "the keychain's prompt was dismissed")
            }
            _ => locked(),
        },
        // Neither of two items may be replaced before `reset` has cleared the place.
        Fault::Ambiguous(_) => Error::new(Name::StoreCorrupt, "the keychain has several items for this sign-in"),
        Fault::PlatformFailure(cause) => platform(&cause.to_string()),
        Fault::TooLong(_, limit) => Error::new(
            Name::KeychainDenied,
            format!("this sign-in is larger than the {limit} bytes that the OS keychain takes"),
        )
        .hinted("choose the encrypted file with `--store file`"),
        Fault::NotSupportedByStore(why) | Fault::BadStoreFormat(why) => platform(why),
        _ => Error::new(Name::KeychainMissing, "the OS keychain cannot be used"),
    }
}

fn platform(text: &str) -> Error {
    if text.contains("Secret.Error.IsLocked") {
        return locked();
    }
    // macOS: errSecUserCanceled, errSecAuthFailed.
    if ["DBus.Error.AccessDenied", "-128", "-25293"].iter().any(|refusal| text.contains(refusal)) {
        return Error::new(Name::KeychainDenied, "the OS keychain refused access");
    }
    Error::new(Name::KeychainMissing, format!("there is no OS keychain to talk to ({})", clean(text)))
}

fn locked() -> Error {
    Error::new(Name::KeychainLocked, "the OS keychain is locked")
}
