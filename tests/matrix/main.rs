//! Not one byte of a secret reaches another host, read from that host: redirects of every kind at every
//! request, and look-alikes of origins (bar 5 of the authorization work; D2, D3, D5, T1, row 93, I7).
//!
//! | file | what |
//! | --- | --- |
//! | [`witness`] | the other host: it writes down what it is sent |
//! | [`kit`] | the eight requests that this program makes, with a canary in each |
//! | [`redirects`] | 320 redirects: request by status by target |
//! | [`origins`] | look-alikes of the origins that a sign-in is for |
//! | [`endpoints`] | look-alikes in metadata |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub, missing_docs)]

mod endpoints;
mod kit;
mod origins;
mod redirects;
#[allow(dead_code)]
#[path = "../corpus/server.rs"]
mod server;
mod witness;
