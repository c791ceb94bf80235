//! Prints how many entries a second are written, synced, into a new database.
//!
//!     rocksdb-bench batches DIRECTORY ENTRIES IDS COUNT EACH   the crate `rocksdb`: batches of EACH entries
//!     rocksdb-bench appends DIRECTORY ENTRIES IDS COUNT        macp-storage 0.13.0: its own append, one by one
//!
//! ENTRIES and IDS are files of lines: log entries, and session ids, which take turns.

use std::error::Error;
use std::time::Instant;

use macp_storage::log_store::LogEntry;
use macp_storage::storage::{RocksDbBackend, StorageBackend};
use rocksdb::{BlockBasedOptions, ColumnFamilyDescriptor, DBCompressionType, Options, WriteBatch, WriteOptions, DB};

type Outcome = Result<f64, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, directory, entries, ids, count, rest @ ..] = arguments.as_slice() else {
        return Err("too few arguments".into());
    };
    let entries = lines(entries)?;
    let ids = lines(ids)?;
    let count = count.parse()?;
    let seconds = match (mode.as_str(), rest) {
        ("batches", [each]) => batches(directory, &entries, &ids, count, each.parse()?)?,
        ("appends", []) => appends(directory, &entries, &ids, count).await?,
        _ => return Err("no such mode".into()),
    };
    println!("{}", count as f64 / seconds);
    Ok(())
}

fn lines(path: &str) -> Result<Vec<String>, std::io::Error> {
    Ok(std::fs::read_to_string(path)?.lines().map(String::from).collect())
}

/// The options are those of our addon: what is compared is the way to RocksDB, not RocksDB.
fn batches(directory: &str, entries: &[String], ids: &[String], count: usize, each: usize) -> Outcome {
    let mut table = BlockBasedOptions::default();
    table.set_format_version(5);
    table.set_block_size(16 * 1024);
    let mut family = Options::default();
    family.set_block_based_table_factory(&table);
    family.set_compression_type(DBCompressionType::Snappy);
    family.set_write_buffer_size(24 << 20);
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_max_background_jobs(2);
    let families = ["default", "sessions", "logs"].map(|name| ColumnFamilyDescriptor::new(name, family.clone()));
    let database = DB::open_cf_descriptors(&options, directory, families)?;
    let logs = database.cf_handle("logs").ok_or("there is no family of logs")?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    let start = Instant::now();
    for first in (0..count).step_by(each) {
        let mut batch = WriteBatch::default();
        for index in first..(first + each).min(count) {
            let key = format!("{}\0{:08}", ids[index % ids.len()], index / ids.len());
            batch.put_cf(logs, key, &entries[index % entries.len()]);
        }
        database.write_opt(batch, &synced)?;
    }
    Ok(start.elapsed().as_secs_f64())
}

async fn appends(directory: &str, entries: &[String], ids: &[String], count: usize) -> Outcome {
    let backend = RocksDbBackend::open(directory)?;
    let entries: Vec<LogEntry> = entries.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?;
    let start = Instant::now();
    for index in 0..count {
        backend.append_log_entry(&ids[index % ids.len()], &entries[index % entries.len()]).await?;
    }
    Ok(start.elapsed().as_secs_f64())
}
