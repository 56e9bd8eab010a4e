//! The names whose situation cannot be made here, each with the reason. Their goldens show what the table
//! makes of them.

use std::io;
use std::path::Path;

use chipp_auth::error::{Error, Name};
use chipp_auth::paths::io_error;

use crate::frame;

/// The name, an error of it, and why no test brings the real one about.
type Listed = (Name, fn() -> Error, &'static str);

pub const LISTED: &[Listed] = &[
    (
        Name::Internal,
        || Error::new(Name::Internal, "the renewal was interrupted"),
        "a bug in this program; whoever knows how to cause one mends it instead",
    ),
    (
        Name::RefreshLost,
        || Error::new(Name::RefreshLost, "the server renewed your sign-in to chipp, but its answer was lost"),
        "nothing says it before there is a journal of renewals, which a later issue brings",
    ),
    (
        Name::KeychainDenied,
        || Error::new(Name::KeychainDenied, "the OS keychain refused access"),
        "macOS asks a person; on Linux it takes rules of the bus that forbid the keychain",
    ),
    (
        Name::DiskFull,
        || io_error("write", Path::new("[HOME]/sealed/x"), &io::Error::from_raw_os_error(28)),
        "filling a disk needs the right to mount one",
    ),
];

#[test]
fn listed_names_are_shown_as_the_table_says() {
    for (name, error, _) in LISTED {
        let error = error();
        assert_eq!(error.name(), *name);
        let text = format!(
            "exit code {}\n--- stderr\nchipp-auth: {error}.\nchipp-auth: hint: {}.\n--- --json\n{:#}\n--- \"error\"\n{:#}\n",
            error.exit(),
            error.hint(),
            error.to_json(),
            error.to_rpc(),
        );
        frame::matches(&text, &format!("errors/{name}.txt"), &[]);
    }
}

/// Every hint of the table can be read with and without a target.
#[test]
fn no_hint_leaves_a_place_open() {
    for name in Name::ALL {
        let error = Error::new(*name, "what happened");
        for error in [error.clone(), error.for_target(Some("https://mcp.example.com/mcp"))] {
            for text in [error.hint(), error.to_json().to_string(), error.to_rpc().to_string()] {
                assert!(!text.contains("{t") && !text.contains("target}"), "{text}");
            }
        }
    }
}
