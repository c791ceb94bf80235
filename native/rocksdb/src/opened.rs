//! An open database, and what may be done with it while it is open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi_derive::napi;
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    AsColumnFamilyRef, BoundColumnFamily, Cache, ColumnFamilyDescriptor, DBWithThreadMode, MultiThreaded, Options,
    ReadOptions, SnapshotWithThreadMode, WriteBatch, WriteOptions,
};

use crate::failure::Failure;
use crate::packing::{Reader, Writer};
use crate::tuning::{database_options, family_options, FAMILIES, RECEIPTS};

type Rocks = DBWithThreadMode<MultiThreaded>;
type Snapshot = SnapshotWithThreadMode<'static, Rocks>;

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

/// Which records of a family are read, from the first key to before the second one.
pub struct Range<'bytes> {
    pub family: &'bytes str,
    pub from: &'bytes [u8],
    pub to: &'bytes [u8],
}

/// How much is read at once: at least one record.
#[derive(Clone, Copy)]
pub struct PageLimits {
    pub records: usize,
    pub bytes: usize,
    pub keys: bool,
}

/// How many records were read, bytes in them, and the key of the next one where there is one.
pub struct Measured {
    pub records: u64,
    pub bytes: u64,
    pub next: Option<Vec<u8>>,
}

pub struct Opened {
    // Before the database, so that they are released before it is closed: see `take_snapshot`.
    snapshots: Mutex<Snapshots>,
    rocks: Rocks,
    family_options: Options,
}

#[derive(Default)]
struct Snapshots {
    taken: u32,
    open: HashMap<u32, Arc<Snapshot>>,
}

impl Opened {
    pub fn open(directory: &str, open: OpenOptions) -> Result<Self, Failure> {
        let options = database_options(open.create);
        let cache = Cache::new_lru_cache(open.cache_bytes as usize);
        let family_options = family_options(open.write_buffer_bytes as usize, &cache);
        let families = families_to_open(directory, &options, open)?;
        let described = families
            .into_iter()
            .map(|name| ColumnFamilyDescriptor::new(name, family_options.clone()));
        let rocks = if open.read_only {
            Rocks::open_cf_descriptors_read_only(&options, directory, described, false)?
        } else {
            Rocks::open_cf_descriptors(&options, directory, described)?
        };
        Ok(Self {
            snapshots: Mutex::default(),
            rocks,
            family_options,
        })
    }

    pub fn has_family(&self, name: &str) -> bool {
        self.rocks.cf_handle(name).is_some()
    }

    /// Makes the family of receipts unless there is one.
    pub fn create_receipts(&self) -> Result<(), Failure> {
        if self.has_family(RECEIPTS) {
            return Ok(());
        }
        Ok(self.rocks.create_cf(RECEIPTS, &self.family_options)?)
    }

    /// Every write, each deletion included, has raised this by one.
    pub fn sequence(&self) -> u64 {
        self.rocks.latest_sequence_number()
    }

    /// Writes the packed operations as one atomic step, and syncs it.
    pub fn write(&self, operations: &[u8]) -> Result<(), Failure> {
        let batch = self.batch(operations)?;
        let mut options = WriteOptions::default();
        options.set_sync(true);
        Ok(self.rocks.write_opt(batch, &options)?)
    }

    /// The values of the packed keys, packed; as of the snapshot where one is given.
    pub fn get_many(&self, family: &str, keys: &[u8], snapshot: Option<u32>) -> Result<Vec<u8>, Failure> {
        let family = self.family(family)?;
        let mut wanted = Vec::new();
        let mut reader = Reader::new(keys);
        while !reader.is_done() {
            wanted.push((&family, reader.bytes()?));
        }
        let snapshot = self.snapshot(snapshot)?;
        let mut found = Writer::default();
        for value in self.rocks.multi_get_cf_opt(wanted, &read_options(snapshot.as_deref())) {
            found.value(value?.as_deref())?;
        }
        Ok(found.finish())
    }

    /// A byte that says whether the range ends here, then keys (where wanted) and values.
    pub fn page(&self, range: Range, limits: PageLimits, snapshot: Option<u32>) -> Result<Vec<u8>, Failure> {
        let family = self.family(range.family)?;
        let snapshot = self.snapshot(snapshot)?;
        let mut options = read_options(snapshot.as_deref());
        options.set_iterate_upper_bound(range.to);
        let mut iterator = self.rocks.raw_iterator_cf_opt(&family, options);
        iterator.seek(range.from);
        let mut page = Writer::default();
        let mut records = 0;
        // Set below, once it is known.
        page.byte(0);
        while let Some((key, value)) = iterator.item() {
            if records == limits.records || (records > 0 && page.len() >= limits.bytes) {
                return Ok(page.finish());
            }
            if limits.keys {
                page.bytes(key)?;
            }
            page.bytes(value)?;
            records += 1;
            iterator.next();
        }
        iterator.status()?;
        let mut page = page.finish();
        page[0] = 1;
        Ok(page)
    }

    /// Keeps the database as it is now readable under the returned number.
    pub fn take_snapshot(&self) -> Result<u32, Failure> {
        let snapshot = self.rocks.snapshot();
        // SAFETY: a snapshot refers to the database that it was taken of. All of them are in `snapshots`, which is
        // dropped before `rocks`, and what is handed out by `snapshot` is dropped within a call that borrows `self`.
        // `Rocks` is not moved meanwhile in a way that matters: a snapshot holds a reference to it, so `Opened` is
        // kept in a box from the moment it is open (see `Database`).
        let snapshot: Snapshot = unsafe { std::mem::transmute(snapshot) };
        let mut snapshots = self.snapshots();
        snapshots.taken = snapshots.taken.wrapping_add(1);
        let number = snapshots.taken;
        snapshots.open.insert(number, Arc::new(snapshot));
        Ok(number)
    }

    pub fn release_snapshot(&self, number: u32) {
        let released = self.snapshots().open.remove(&number);
        drop(released);
    }

    /// Copies the database as it is now into a new directory, whose tables are links to its own where they can be.
    pub fn checkpoint(&self, directory: &str) -> Result<(), Failure> {
        Ok(Checkpoint::new(&self.rocks)?.create_checkpoint(directory)?)
    }

    /// Reads records of a family from a key on, about so many bytes of them, which proves that they can be read.
    pub fn measure(&self, family: &str, from: &[u8], limit: u64) -> Result<Measured, Failure> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_verify_checksums(true);
        let mut iterator = self.rocks.raw_iterator_cf_opt(&self.family(family)?, options);
        iterator.seek(from);
        let (mut records, mut bytes) = (0, 0);
        while let Some((key, value)) = iterator.item() {
            if bytes >= limit {
                let next = Some(key.to_vec());
                return Ok(Measured { records, bytes, next });
            }
            records += 1;
            bytes += (key.len() + value.len()) as u64;
            iterator.next();
        }
        iterator.status()?;
        let next = None;
        Ok(Measured { records, bytes, next })
    }

    /// Begins to end what goes on in the background, so that closing does not wait for a compaction.
    pub fn stop(&self) {
        self.rocks.cancel_all_background_work(true);
    }

    fn batch(&self, operations: &[u8]) -> Result<WriteBatch, Failure> {
        let mut batch = WriteBatch::default();
        let names = FAMILIES.into_iter().chain([RECEIPTS]);
        let families: Vec<_> = names.map(|name| self.rocks.cf_handle(name)).collect();
        let mut reader = Reader::new(operations);
        while !reader.is_done() {
            let kind = reader.byte()?;
            let family = families.get(reader.byte()? as usize).and_then(Option::as_ref);
            let family = family.ok_or_else(|| Failure::misuse("an operation names no family that is open"))?;
            add_operation(&mut batch, kind, family, &mut reader)?;
        }
        Ok(batch)
    }

    fn family(&self, name: &str) -> Result<Arc<BoundColumnFamily<'_>>, Failure> {
        self.rocks
            .cf_handle(name)
            .ok_or_else(|| Failure::misuse(format!("no family {name:?} is open")))
    }

    fn snapshot(&self, number: Option<u32>) -> Result<Option<Arc<Snapshot>>, Failure> {
        let Some(number) = number else { return Ok(None) };
        let found = self.snapshots().open.get(&number).cloned();
        found
            .map(Some)
            .ok_or_else(|| Failure::misuse("no such snapshot is open"))
    }

    fn snapshots(&self) -> MutexGuard<'_, Snapshots> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_options(snapshot: Option<&Snapshot>) -> ReadOptions {
    let mut options = ReadOptions::default();
    if let Some(snapshot) = snapshot {
        options.set_snapshot(snapshot);
    }
    options
}

fn add_operation(
    batch: &mut WriteBatch,
    kind: u8,
    family: &impl AsColumnFamilyRef,
    reader: &mut Reader,
) -> Result<(), Failure> {
    let key = reader.bytes()?;
    match kind {
        0 => batch.put_cf(family, key, reader.bytes()?),
        1 => batch.delete_cf(family, key),
        2 => batch.delete_range_cf(family, key, reader.bytes()?),
        _ => return Err(Failure::misuse("an operation is of no known kind")),
    }
    Ok(())
}

/// All that are there, which are to be known ones, and what is to be made.
fn families_to_open(directory: &str, options: &Options, open: OpenOptions) -> Result<Vec<String>, Failure> {
    let current = std::path::Path::new(directory).join("CURRENT");
    let mut families = if current.exists() {
        Rocks::list_cf(options, directory)?
    } else {
        vec![]
    };
    let is_known = |name: &String| name == RECEIPTS || FAMILIES.contains(&name.as_str());
    if let Some(unknown) = families.iter().find(|name| !is_known(name)) {
        return Err(Failure::unknown_family(unknown));
    }
    let made = FAMILIES.into_iter().chain([RECEIPTS]);
    for name in made.filter(|name| open.create && (*name != RECEIPTS || open.create_receipts)) {
        if !families.iter().any(|family| family == name) {
            families.push(name.into());
        }
    }
    Ok(families)
}
