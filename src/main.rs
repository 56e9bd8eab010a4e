//! The binary. Everything is in the library; see `chipp_auth::cli`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    chipp_auth::cli::main()
}
