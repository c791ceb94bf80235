//! What went wrong, with a code that JavaScript can tell apart.

use rocksdb::ErrorKind;

/// A code and a text. It crosses into JavaScript as the message `CODE text` of an error.
#[derive(Debug)]
pub struct Failure {
    code: &'static str,
    text: String,
}

impl Failure {
    /// The database was closed, or is not open yet.
    pub fn closed() -> Self {
        Self {
            code: "ROCKSDB_CLOSED",
            text: "the database is not open".into(),
        }
    }

    /// The caller handed over something that cannot be meant.
    pub fn misuse(text: impl Into<String>) -> Self {
        Self {
            code: "ROCKSDB_MISUSE",
            text: text.into(),
        }
    }

    /// The database has column families that are none of a store's.
    pub fn unknown_family(name: &str) -> Self {
        Self {
            code: "ROCKSDB_UNKNOWN_FAMILY",
            text: format!("there is a column family {name:?}"),
        }
    }

    /// A defect of this addon.
    pub fn panicked() -> Self {
        Self {
            code: "ROCKSDB_PANICKED",
            text: "the addon panicked".into(),
        }
    }
}

impl From<rocksdb::Error> for Failure {
    fn from(error: rocksdb::Error) -> Self {
        let text = error.to_string();
        Self {
            code: code_of(&error.kind(), &text),
            text,
        }
    }
}

impl From<Failure> for napi::Error {
    fn from(Failure { code, text }: Failure) -> Self {
        napi::Error::from_reason(format!("{code} {text}"))
    }
}

/// RocksDB tells a taken lock and a full disk apart from other failures of input and output in its text only.
fn code_of(kind: &ErrorKind, text: &str) -> &'static str {
    let says = |part: &str| text.contains(part);
    match kind {
        ErrorKind::IOError if says("While lock file") || says("lock hold by current process") => "ROCKSDB_LOCKED",
        _ if says("No space left on device") || says("Disk quota exceeded") => "ROCKSDB_NO_SPACE",
        ErrorKind::IOError => "ROCKSDB_IO_ERROR",
        ErrorKind::Corruption => "ROCKSDB_CORRUPTION",
        ErrorKind::InvalidArgument => "ROCKSDB_INVALID_ARGUMENT",
        ErrorKind::NotSupported => "ROCKSDB_NOT_SUPPORTED",
        ErrorKind::ShutdownInProgress => "ROCKSDB_CLOSED",
        _ => "ROCKSDB_FAILED",
    }
}
