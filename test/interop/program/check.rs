use crate::about;
use macp_storage::log_store::LogEntry;
use macp_storage::registry::PersistedSession;
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::io::{self, BufRead, Write};

#[derive(Deserialize)]
enum Kind {
    LogEntry,
    LogEntries,
    PersistedSession,
}

/// A document to be judged, its bytes as an array of numbers, because they may be no text.
#[derive(Deserialize)]
struct Document {
    kind: Kind,
    bytes: Vec<u8>,
}

/// Writes a line for each document of `input`: `accepted`, or `refused: ` and the reason.
pub fn check(input: impl BufRead, output: &mut impl Write) -> io::Result<()> {
    for (index, line) in input.split(b'\n').enumerate() {
        let document: Document = serde_json::from_slice(&line?)
            .map_err(|error| about(format!("document {index}"), error))?;
        match verdict(&document) {
            Ok(()) => writeln!(output, "accepted")?,
            // Reasons quote the document, line breaks included.
            Err(reason) => writeln!(output, "refused: {}", reason.replace('\n', " "))?,
        }
    }
    Ok(())
}

fn verdict(document: &Document) -> Result<(), String> {
    // The file backend reads a log as text, and loses all of it where that is not UTF-8.
    let text = std::str::from_utf8(&document.bytes).map_err(|error| error.to_string())?;
    match document.kind {
        Kind::LogEntry => read::<LogEntry>(text),
        Kind::LogEntries => read::<Vec<LogEntry>>(text),
        Kind::PersistedSession => read::<PersistedSession>(text),
    }
}

fn read<Content: DeserializeOwned>(text: &str) -> Result<(), String> {
    serde_json::from_str::<Content>(text)
        .map(drop)
        .map_err(|error| error.to_string())
}
