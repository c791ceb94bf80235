//! RocksDB as the store of macp-persist needs it. `src/stores/rocksdb/addon.ts` is its face in TypeScript.

mod failure;
mod opened;
mod packing;
mod tuning;
mod work;

use std::sync::{Arc, PoisonError, RwLock};

use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;

use crate::failure::Failure;
use crate::opened::{OpenOptions, Opened, PageLimits, Range};
use crate::work::{start, Work};

/// Raised whenever this face changes: the TypeScript side refuses an addon that was built for another one.
#[napi]
pub const INTERFACE_VERSION: u32 = 2;

/// What was read of a family, and the key of the next record where there is one.
#[napi(object)]
pub struct Measured {
    pub records: f64,
    pub bytes: f64,
    pub next: Option<Buffer>,
}

/// One database. It can be closed, and opened only once; calls made while it is not open reject with `ROCKSDB_CLOSED`.
#[napi]
pub struct Database {
    // In a box of its own: snapshots refer to where it lies.
    opened: Arc<RwLock<Option<Box<Opened>>>>,
}

#[napi]
impl Database {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { opened: Arc::default() }
    }

    #[napi]
    pub fn open(&self, directory: String, options: OpenOptions) -> AsyncTask<Work<()>> {
        let place = Arc::clone(&self.opened);
        start(move || {
            let mut place = place.write().unwrap_or_else(PoisonError::into_inner);
            if place.is_some() {
                return Err(Failure::misuse("the database is open already"));
            }
            *place = Some(Box::new(Opened::open(&directory, options)?));
            Ok(())
        })
    }

    /// Waits for what is under way, and resolves once another process can open the database.
    #[napi]
    pub fn close(&self) -> AsyncTask<Work<()>> {
        let place = Arc::clone(&self.opened);
        start(move || {
            let opened = place.write().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(opened) = opened {
                opened.stop();
            }
            Ok(())
        })
    }

    #[napi]
    pub fn has_receipts(&self) -> AsyncTask<Work<bool>> {
        self.with(|opened| Ok(opened.has_family(tuning::RECEIPTS)))
    }

    #[napi]
    pub fn create_receipts(&self) -> AsyncTask<Work<()>> {
        self.with(Opened::create_receipts)
    }

    #[napi]
    pub fn sequence(&self) -> AsyncTask<Work<f64>> {
        self.with(|opened| Ok(opened.sequence() as f64))
    }

    /// Writes the first `length` bytes of packed operations. They must not change until this settles.
    #[napi]
    pub fn write(&self, operations: Buffer, length: u32) -> AsyncTask<Work<()>> {
        self.with(move |opened| {
            let packed = operations.get(..length as usize);
            opened.write(packed.ok_or_else(|| Failure::misuse("there are fewer operations than that"))?)
        })
    }

    #[napi]
    pub fn get_many(&self, family: String, keys: Buffer, snapshot: Option<u32>) -> AsyncTask<Work<Buffer>> {
        self.with(move |opened| Ok(opened.get_many(&family, &keys, snapshot)?.into()))
    }

    #[napi]
    #[allow(clippy::too_many_arguments)]
    pub fn page(
        &self,
        family: String,
        from: Buffer,
        to: Buffer,
        keys: bool,
        records: u32,
        bytes: u32,
        snapshot: Option<u32>,
    ) -> AsyncTask<Work<Buffer>> {
        let limits = PageLimits {
            records: records as usize,
            bytes: bytes as usize,
            keys,
        };
        self.with(move |opened| {
            let range = Range {
                family: &family,
                from: &from,
                to: &to,
            };
            Ok(opened.page(range, limits, snapshot)?.into())
        })
    }

    #[napi]
    pub fn take_snapshot(&self) -> AsyncTask<Work<u32>> {
        self.with(Opened::take_snapshot)
    }

    /// Of a database that is closed, all are released already.
    #[napi]
    pub fn release_snapshot(&self, snapshot: u32) -> AsyncTask<Work<()>> {
        let place = Arc::clone(&self.opened);
        start(move || {
            if let Some(opened) = place.read().unwrap_or_else(PoisonError::into_inner).as_deref() {
                opened.release_snapshot(snapshot);
            }
            Ok(())
        })
    }

    #[napi]
    pub fn checkpoint(&self, directory: String) -> AsyncTask<Work<()>> {
        self.with(move |opened| opened.checkpoint(&directory))
    }

    #[napi]
    pub fn measure(&self, family: String, from: Buffer, bytes: u32) -> AsyncTask<Work<Measured>> {
        self.with(move |opened| {
            let measured = opened.measure(&family, &from, u64::from(bytes))?;
            Ok(Measured {
                records: measured.records as f64,
                bytes: measured.bytes as f64,
                next: measured.next.map(Buffer::from),
            })
        })
    }

    fn with<Output>(
        &self,
        work: impl FnOnce(&Opened) -> Result<Output, Failure> + Send + 'static,
    ) -> AsyncTask<Work<Output>>
    where
        Output: Send + napi::bindgen_prelude::ToNapiValue + napi::bindgen_prelude::TypeName + 'static,
    {
        let place = Arc::clone(&self.opened);
        start(move || {
            let place = place.read().unwrap_or_else(PoisonError::into_inner);
            work(place.as_deref().ok_or_else(Failure::closed)?)
        })
    }
}
