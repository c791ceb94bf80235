//! Prints how many entries a second are written, synced, into a new database.
//!
//!     upstream-bench batches DIRECTORY BATCHES COUNT             the crate `rocksdb`: batches that somebody else filled
//!     upstream-bench entries DIRECTORY ENTRIES IDS COUNT EACH    the same, with EACH log entries in a batch and nothing else
//!     upstream-bench rocksdb DIRECTORY ENTRIES IDS COUNT         macp-storage 0.13.0: its own append, one by one
//!     upstream-bench file DIRECTORY ENTRIES IDS COUNT            the same with its file backend
//!
//! BATCHES is a file of batches of the addon's packed operations, each behind its length; COUNT says how many entries are
//! in all of them. ENTRIES and IDS are files of lines: log entries, and session ids, which take turns.

use std::error::Error;
use std::time::Instant;

use macp_storage::log_store::LogEntry;
use macp_storage::storage::{FileBackend, RocksDbBackend, StorageBackend};
use rocksdb::{Cache, ColumnFamily, ColumnFamilyDescriptor, WriteBatch, WriteOptions, DB};

use crate::tuning::{database_options, family_options, FAMILIES};

#[allow(dead_code)]
#[path = "../../../native/rocksdb/src/tuning.rs"]
mod tuning;

type Outcome = Result<f64, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rate = match texts.as_slice() {
        ["batches", directory, batches, count] => count.parse::<f64>()? / write_batches(directory, batches)?,
        ["entries", directory, entries, ids, count, each] => {
            let (entries, ids) = (lines(entries)?, lines(ids)?);
            count.parse::<f64>()? / write_entries(directory, &entries, &ids, count.parse()?, each.parse()?)?
        }
        [layout @ ("file" | "rocksdb"), directory, entries, ids, count] => {
            let backend: Box<dyn StorageBackend> = match *layout {
                "file" => Box::new(FileBackend::new(directory.into())?),
                _ => Box::new(RocksDbBackend::open(directory)?),
            };
            let (entries, ids) = (lines(entries)?, lines(ids)?);
            count.parse::<f64>()? / append(backend.as_ref(), &entries, &ids, count.parse()?).await?
        }
        _ => return Err("no such way to write".into()),
    };
    println!("{rate}");
    Ok(())
}

fn lines(path: &str) -> Result<Vec<String>, std::io::Error> {
    Ok(std::fs::read_to_string(path)?.lines().map(String::from).collect())
}

/// With the options of our addon: what is compared is the way to RocksDB, not RocksDB. The sizes are the store's.
fn open(directory: &str) -> Result<DB, rocksdb::Error> {
    let family = family_options(24 << 20, &Cache::new_lru_cache(16 << 20));
    DB::open_cf_descriptors(
        &database_options(true),
        directory,
        FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, family.clone())),
    )
}

fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

fn write_batches(directory: &str, path: &str) -> Outcome {
    let file = std::fs::read(path)?;
    let database = open(directory)?;
    let families = FAMILIES.map(|name| database.cf_handle(name).expect("a family that was just opened"));
    let options = synced();
    let mut left = file.as_slice();
    let start = Instant::now();
    while !left.is_empty() {
        let batch = filled(taken(&mut left), &families);
        database.write_opt(batch, &options)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

fn filled(mut operations: &[u8], families: &[&ColumnFamily; 3]) -> WriteBatch {
    let mut batch = WriteBatch::default();
    while let [kind, family, rest @ ..] = operations {
        operations = rest;
        let family = families[usize::from(*family)];
        let key = taken(&mut operations);
        match kind {
            0 => batch.put_cf(family, key, taken(&mut operations)),
            1 => batch.delete_cf(family, key),
            _ => batch.delete_range_cf(family, key, taken(&mut operations)),
        }
    }
    batch
}

/// A length, and as many bytes, from the front.
fn taken<'bytes>(left: &mut &'bytes [u8]) -> &'bytes [u8] {
    let (length, rest) = left.split_at(4);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
    let (bytes, rest) = rest.split_at(length);
    *left = rest;
    bytes
}

fn write_entries(directory: &str, entries: &[String], ids: &[String], count: usize, each: usize) -> Outcome {
    let database = open(directory)?;
    let logs = database.cf_handle("logs").ok_or("there is no family of logs")?;
    let options = synced();
    let start = Instant::now();
    for first in (0..count).step_by(each) {
        let mut batch = WriteBatch::default();
        for index in first..(first + each).min(count) {
            let key = format!("{}\0{:08}", ids[index % ids.len()], index / ids.len());
            batch.put_cf(logs, key, &entries[index % entries.len()]);
        }
        database.write_opt(batch, &options)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Both backends end every append with a sync of their own: `sync_data` of the log, and RocksDB's synced write.
async fn append(backend: &dyn StorageBackend, entries: &[String], ids: &[String], count: usize) -> Outcome {
    let entries: Vec<LogEntry> = entries
        .iter()
        .map(|text| serde_json::from_str(text))
        .collect::<Result<_, _>>()?;
    for id in ids {
        backend.create_session_storage(id).await?;
    }
    let start = Instant::now();
    for index in 0..count {
        backend
            .append_log_entry(&ids[index % ids.len()], &entries[index % entries.len()])
            .await?;
    }
    Ok(start.elapsed().as_secs_f64())
}
