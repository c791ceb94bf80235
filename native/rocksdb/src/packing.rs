//! How keys, values and operations travel between JavaScript and here: packed into one buffer, because crossing once
//! for each of them costs more than writing it. Lengths are unsigned 32-bit numbers, little-endian.
//! `src/stores/rocksdb/packing.ts` is the other side.

use crate::failure::Failure;

/// The length that says that there is no value.
const ABSENT: u32 = u32::MAX;

/// Reads what JavaScript packed.
pub struct Reader<'bytes> {
    left: &'bytes [u8],
}

impl<'bytes> Reader<'bytes> {
    pub fn new(bytes: &'bytes [u8]) -> Self {
        Self { left: bytes }
    }

    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    pub fn byte(&mut self) -> Result<u8, Failure> {
        Ok(self.take(1)?[0])
    }

    /// A length, and as many bytes.
    pub fn bytes(&mut self) -> Result<&'bytes [u8], Failure> {
        let length = self.take(4)?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        self.take(length as usize)
    }

    fn take(&mut self, count: usize) -> Result<&'bytes [u8], Failure> {
        if count > self.left.len() {
            return Err(Failure::misuse("what was packed ends too early"));
        }
        let (taken, left) = self.left.split_at(count);
        self.left = left;
        Ok(taken)
    }
}

/// Packs what JavaScript reads.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// A length, and as many bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(bytes.len()).ok().filter(|length| *length != ABSENT);
        let length = length.ok_or_else(|| Failure::misuse("a value is too large to be packed"))?;
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// A value, or that there is none.
    pub fn value(&mut self, value: Option<&[u8]>) -> Result<(), Failure> {
        match value {
            Some(bytes) => self.bytes(bytes),
            None => {
                self.bytes.extend_from_slice(&ABSENT.to_le_bytes());
                Ok(())
            }
        }
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
