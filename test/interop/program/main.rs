//! Looks at stores with upstream's own code, and writes them with it. Everything goes through `StorageBackend`.
//!
//! * `dump LAYOUT PLACE [SESSION…]`: every session that the backend lists, and those named, one line of JSON each.
//! * `write LAYOUT PLACE`: applies the calls on standard input, one line of JSON each, in order.
//! * `check`: says of each document on standard input whether serde reads it.
//!
//! A LAYOUT is `file` (PLACE is a directory), `rocksdb` (a directory) or `redis` (`URL PREFIX`, with a blank between).

mod backend;
mod calls;
mod check;
mod dump;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let parameters: Vec<String> = std::env::args().skip(1).collect();
    let mut output = BufWriter::new(io::stdout().lock());
    let result = match run(&parameters, &mut output).await {
        Ok(()) => output.flush(),
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(parameters: &[String], output: &mut impl Write) -> io::Result<()> {
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    match parameters.as_slice() {
        ["dump", layout, place, sessions @ ..] => {
            let backend = backend::open(layout, place).await?;
            dump::dump(backend.as_ref(), sessions, output).await
        }
        ["write", layout, place] => {
            let backend = backend::open(layout, place).await?;
            calls::apply(backend.as_ref(), io::stdin().lock(), output).await
        }
        ["check"] => check::check(io::stdin().lock(), output),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "usage: dump LAYOUT PLACE [SESSION…] | write LAYOUT PLACE | check",
        )),
    }
}

/// An error with what it is about in front.
fn about(what: String, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{what}: {error}"))
}
