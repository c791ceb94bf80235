use macp_storage::storage::{
    migrate_if_needed, FileBackend, RedisBackend, RocksDbBackend, StorageBackend,
};
use std::io;
use std::path::Path;

/// Opens a store as macp-runtime does when it starts.
pub async fn open(layout: &str, place: &str) -> io::Result<Box<dyn StorageBackend>> {
    match layout {
        "file" => {
            std::fs::create_dir_all(place)?;
            migrate_if_needed(Path::new(place))?;
            Ok(Box::new(FileBackend::new(place.into())?))
        }
        "rocksdb" => Ok(Box::new(RocksDbBackend::open(place)?)),
        "redis" => {
            let (url, prefix) = place.split_once(' ').ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, "redis wants: URL PREFIX")
            })?;
            Ok(Box::new(RedisBackend::connect(url, prefix).await?))
        }
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("there is no layout {layout}"),
        )),
    }
}
