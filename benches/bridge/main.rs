//! What a bridge costs: the same calls to the same server on loopback by a plain HTTP client, through
//! `chipp-auth proxy`, and through the bridges that others use, in turns, so that a busy machine slows all.
//! Ratios carry over to other machines, absolute times do not.
//!
//! `benches/compare` installs the others and runs this; `cargo bench --bench bridge` runs it without them, and
//! `-- --help` tells what can be chosen. It asserts no times. It fails when an answer of chipp-auth is lost,
//! doubled, out of order or wrong. Needs Unix, for CPU and memory Linux, for the keychain gnome-keyring.
//!
//! | file | what is there |
//! | --- | --- |
//! | `messages`, `check` | what is said, and whether the right thing comes back |
//! | `server`, `relay` | the server, near and 20 ms away |
//! | `client`, `peers`, `watchdog` | the two kinds of client, the bridges, the bound of every wait |
//! | `measure`, `metric`, `cpu`, `keychain` | what is measured, and how |
//! | `table`, `json`, `options` | how it is told |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(missing_docs)]

use std::process::ExitCode;

use clap::Parser;

use client::Outcome;
use keychain::Keychain;
use measure::{Bench, GROUPS};
use options::Options;
use peers::{Column, Statistic, Way};
use server::Server;

mod check;
mod client;
mod cpu;
mod json;
mod keychain;
mod measure;
mod messages;
mod metric;
mod options;
mod peers;
mod relay;
mod server;
mod table;
mod watchdog;

fn main() -> ExitCode {
    let options = Options::parse();
    let home = tempfile::tempdir().unwrap();
    let server = Server::start();
    let distant = relay::start(&server.address);
    let keychain = if options.wants("keychain") {
        told(Keychain::start(&options.program(), &server.address, home.path()))
    } else {
        None
    };
    let bench = Bench { server, distant, home: home.path().to_owned(), keychain };
    let mut columns = options.columns();
    for round in 1..=options.rounds {
        for group in GROUPS.iter().filter(|group| options.wants(group.name)) {
            for column in &mut columns {
                eprint!("\r\x1b[Kround {round} of {}: {}, {}", options.rounds, group.name, column.way.name());
                group.measure(&bench, column);
            }
        }
    }
    eprint!("\r\x1b[K");
    let statistic = if options.best { Statistic::Best } else { Statistic::Median };
    table::print(&columns, options.rounds, statistic);
    let file = options.json_file();
    std::fs::write(&file, json::report(&columns, options.rounds).to_string()).unwrap();
    println!("\nEvery sample is in {}", file.display());
    verdict(&columns)
}

/// The keychain, or aloud that there is none.
fn told(keychain: Outcome<Keychain>) -> Option<Keychain> {
    keychain.map_err(|reason| println!("Without a keychain: {reason}")).ok()
}

/// Whether chipp-auth did everything that was asked, and did it right.
fn verdict(columns: &[Column]) -> ExitCode {
    let own = columns.iter().filter(|column| matches!(column.way, Way::Direct | Way::ChippAuth(_)));
    let mut code = ExitCode::SUCCESS;
    for column in own {
        if column.faults.sum() > 0 || !column.failures.is_empty() {
            println!("\n{} FAILS: lost, duplicated, reordered, wrong: {}", column.way.name(), column.faults);
            code = ExitCode::FAILURE;
        }
    }
    code
}
