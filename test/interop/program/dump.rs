use crate::about;
use macp_storage::registry::PersistedSession;
use macp_storage::storage::StorageBackend;
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Writes each session as one line, sorted by id: its members are sorted by name (serde_json's maps are), and so is
/// what upstream keeps in a hash set, because every save orders it anew.
pub async fn dump(
    backend: &dyn StorageBackend,
    named: &[&str],
    output: &mut impl Write,
) -> io::Result<()> {
    let listed: BTreeSet<String> = backend.list_session_ids().await?.into_iter().collect();
    let named = named.iter().map(|name| (*name).to_owned());
    for id in listed.iter().cloned().chain(named).collect::<BTreeSet<_>>() {
        let line = session(backend, &id, listed.contains(&id))
            .await
            .map_err(|error| about(format!("session {id:?}"), error))?;
        writeln!(output, "{line}")?;
    }
    Ok(())
}

async fn session(backend: &dyn StorageBackend, id: &str, listed: bool) -> io::Result<Value> {
    let snapshot = match backend.load_session(id).await? {
        Some(session) => {
            let mut record = PersistedSession::from(&session);
            record.seen_message_ids.sort();
            serde_json::to_value(record)?
        }
        None => Value::Null,
    };
    let (receipt, anchor) = opaque(backend, id).await?;
    Ok(json!({
        "anchor": anchor,
        "listed": listed,
        "log": backend.load_log(id).await?,
        "receipt": receipt,
        "session": snapshot,
        "session_id": id,
    }))
}

type Opaque = Option<Vec<u8>>;

#[cfg(feature = "receipts")]
async fn opaque(backend: &dyn StorageBackend, id: &str) -> io::Result<(Opaque, Opaque)> {
    Ok((
        backend.load_receipt(id).await?,
        backend.load_trace_anchor(id).await?,
    ))
}

#[cfg(not(feature = "receipts"))]
async fn opaque(_: &dyn StorageBackend, _: &str) -> io::Result<(Opaque, Opaque)> {
    Ok((None, None))
}
