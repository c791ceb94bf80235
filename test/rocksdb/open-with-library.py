"""Opens a database through the C API of a RocksDB library with all defaults, as macp-storage does.

open-with-library.py LIBRARY DIRECTORY [FAMILY KEY VALUE] (hexadecimal): writes the record if there is one, then
prints every record of the families of releases before 0.13.0 as a line of JSON: family, key and value (hexadecimal).
"""

import ctypes
import json
import sys

library, directory, *record = sys.argv[1:]
families = ["default", "sessions", "logs"]
rocksdb = ctypes.CDLL(library)
pointer = ctypes.c_void_p
for name in ("options_create", "open_column_families", "readoptions_create", "writeoptions_create", "create_iterator_cf"):
    getattr(rocksdb, "rocksdb_" + name).restype = pointer
for name in ("iter_key", "iter_value"):
    getattr(rocksdb, "rocksdb_" + name).restype = pointer
failure = ctypes.c_char_p()


def check():
    if failure.value is not None:
        sys.exit(failure.value.decode())


def bytes_of(read, iterator):
    length = ctypes.c_size_t()
    return ctypes.string_at(read(iterator, ctypes.byref(length)), length.value)


options = pointer(rocksdb.rocksdb_options_create())
rocksdb.rocksdb_options_set_create_if_missing(options, 1)
rocksdb.rocksdb_options_set_create_missing_column_families(options, 1)
names = (ctypes.c_char_p * len(families))(*(name.encode() for name in families))
each = (pointer * len(families))(*([options.value] * len(families)))
handles = (pointer * len(families))()
database = pointer(
    rocksdb.rocksdb_open_column_families(
        options, directory.encode(), len(families), names, each, handles, ctypes.byref(failure)
    )
)
check()
if record:
    family, key, value = record[0], bytes.fromhex(record[1]), bytes.fromhex(record[2])
    write = pointer(rocksdb.rocksdb_writeoptions_create())
    handle = pointer(handles[families.index(family)])
    sizes = ctypes.c_size_t(len(key)), ctypes.c_size_t(len(value))
    rocksdb.rocksdb_put_cf(database, write, handle, key, sizes[0], value, sizes[1], ctypes.byref(failure))
    check()
for family, handle in zip(families, handles):
    read = pointer(rocksdb.rocksdb_readoptions_create())
    iterator = pointer(rocksdb.rocksdb_create_iterator_cf(database, read, pointer(handle)))
    rocksdb.rocksdb_iter_seek_to_first(iterator)
    while rocksdb.rocksdb_iter_valid(iterator) & 0xFF:
        key = bytes_of(rocksdb.rocksdb_iter_key, iterator)
        value = bytes_of(rocksdb.rocksdb_iter_value, iterator)
        print(json.dumps([family, key.hex(), value.hex()]))
        rocksdb.rocksdb_iter_next(iterator)
    rocksdb.rocksdb_iter_get_error(iterator, ctypes.byref(failure))
    check()
    rocksdb.rocksdb_iter_destroy(iterator)
for handle in handles:
    rocksdb.rocksdb_column_family_handle_destroy(pointer(handle))
rocksdb.rocksdb_close(database)
