//! How the database is opened (docs/decisions/0019-rocksdb-layout.md). `bench/upstream` opens its own with the same.

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options};

const MEBIBYTE: usize = 1024 * 1024;

/// What every release of upstream has.
pub const FAMILIES: [&str; 3] = ["default", "sessions", "logs"];
/// What upstream has had since receipts and anchors.
pub const RECEIPTS: &str = "receipts";

/// The options of the database as a whole; `create`: whether to make it where it is missing.
pub fn database_options(create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(create);
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
pub fn family_options(write_buffer_bytes: usize, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_format_version(5);
    table.set_block_size(16 * 1024);
    table.set_block_cache(cache);
    table.set_bloom_filter(10.0, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Snappy);
    options.set_write_buffer_size(write_buffer_bytes);
    options
}
