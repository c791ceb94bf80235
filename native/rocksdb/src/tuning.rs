//! How the database is opened (docs/decisions/0018-rocksdb-layout.md).

use napi_derive::napi;
use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};

const MEBIBYTE: usize = 1024 * 1024;

/// What every release of upstream has.
pub const FAMILIES: [&str; 3] = ["default", "sessions", "logs"];
/// What upstream has had since receipts and anchors.
pub const RECEIPTS: &str = "receipts";

#[napi(object)]
#[derive(Clone, Copy)]
pub struct OpenOptions {
    /// Whether to make the database, and the families of every release, where they are missing.
    pub create: bool,
    /// Whether to make the family of receipts, too.
    pub create_receipts: bool,
    /// Whether it is only read: it may be open elsewhere then.
    pub read_only: bool,
    /// Bytes of one family's newest records that are kept in memory before they are written as a table.
    pub write_buffer_bytes: u32,
    /// Bytes of blocks of tables that are kept in memory.
    pub cache_bytes: u32,
}

/// The options of the database as a whole.
pub fn database_options(open: OpenOptions) -> Options {
    let mut options = Options::default();
    options.create_if_missing(open.create);
    options.create_missing_column_families(open.create);
    // A torn record at the end is one that nobody was told is durable; what follows damage is never read.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    // After a failed sync RocksDB mends itself by writing what is in memory as tables, family by family. The batch that
    // failed is in the log, but not in memory: interrupted, or closed, in between, it came back in some families only.
    options.set_atomic_flush(true);
    options.set_max_open_files(256);
    options.set_max_background_jobs(2);
    options.set_max_total_wal_size(128 * MEBIBYTE as u64);
    options.set_keep_log_file_num(2);
    options.set_log_level(LogLevel::Warn);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    options
}

/// The options of every family: tables that RocksDB 8.10 reads as well as 11.8 (format 5, Snappy).
pub fn family_options(open: OpenOptions, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_format_version(5);
    table.set_block_size(16 * 1024);
    table.set_block_cache(cache);
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Snappy);
    options.set_write_buffer_size(open.write_buffer_bytes as usize);
    options
}

pub fn block_cache(open: OpenOptions) -> Cache {
    Cache::new_lru_cache(open.cache_bytes as usize)
}
