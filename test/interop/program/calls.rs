use crate::about;
use macp_storage::log_store::LogEntry;
use macp_storage::registry::PersistedSession;
use macp_storage::storage::StorageBackend;
use serde::Deserialize;
use std::io::{self, BufRead, Write};

/// One call of `StorageBackend`. Bytes are arrays of numbers.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Call {
    CreateSession {
        session_id: String,
    },
    AppendLog {
        session_id: String,
        entry: LogEntry,
    },
    SaveSession {
        session: Box<PersistedSession>,
    },
    ReplaceLog {
        session_id: String,
        entries: Vec<LogEntry>,
    },
    DeleteSession {
        session_id: String,
    },
    #[cfg(feature = "receipts")]
    StoreReceipt {
        session_id: String,
        receipt: Vec<u8>,
    },
    #[cfg(feature = "receipts")]
    StoreAnchor {
        session_id: String,
        anchor: Vec<u8>,
    },
}

/// Applies the calls of `input` in order; the first that fails ends it. Writes how many were applied.
pub async fn apply(
    backend: &dyn StorageBackend,
    input: impl BufRead,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut applied = 0_u64;
    for line in input.split(b'\n') {
        let call: Call = serde_json::from_slice(&line?)
            .map_err(|error| about(format!("call {applied}"), error))?;
        apply_one(backend, call)
            .await
            .map_err(|error| about(format!("call {applied}"), error))?;
        applied += 1;
    }
    writeln!(output, "{applied}")
}

async fn apply_one(backend: &dyn StorageBackend, call: Call) -> io::Result<()> {
    match call {
        Call::CreateSession { session_id } => backend.create_session_storage(&session_id).await,
        Call::AppendLog { session_id, entry } => {
            backend.append_log_entry(&session_id, &entry).await
        }
        Call::SaveSession { session } => backend.save_session(&(*session).into()).await,
        Call::ReplaceLog {
            session_id,
            entries,
        } => backend.replace_log(&session_id, &entries).await,
        Call::DeleteSession { session_id } => backend.delete_session(&session_id).await,
        #[cfg(feature = "receipts")]
        Call::StoreReceipt {
            session_id,
            receipt,
        } => backend
            .store_receipt_if_absent(&session_id, &receipt)
            .await
            .map(drop),
        #[cfg(feature = "receipts")]
        Call::StoreAnchor { session_id, anchor } => {
            backend.store_trace_anchor(&session_id, &anchor).await
        }
    }
}
