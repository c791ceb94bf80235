/*
 * A preload library that stands between a process and the disk, for every path below one directory.
 *
 * It numbers every effect (write, sync, create, truncate, rename, unlink, link, mkdir, rmdir) in one order over all
 * threads, writes what took effect to a journal outside that directory, and can end the process at an effect, tear a
 * write, or let effects fail. What a power cut would have left is computed from the journal (disk.ts): a cut between
 * any two records of the journal is the state that the records before it describe. The model is written down in
 * docs/decisions/0009-power-cut-model.md.
 *
 * A sync does not reach the real disk: it is recorded once when it begins and once when it ends, with a pause
 * between, so that data written while a sync is under way is seen not to be covered by it.
 *
 * LevelDB writes through stdio, whose own calls to write() cannot be interposed. Streams that are opened for writing
 * are therefore made with fopencookie over the functions of this file.
 *
 * Environment:
 *   SHIM_DIRECTORY          absolute path without links; nothing outside it is touched
 *   SHIM_JOURNAL            file to append the journal to (none: no journal)
 *   SHIM_CONTROL            file whose writes are commands: "mark TEXT" (a record in the journal), "reset" (count from
 *                           0 again), "count" (puts the number of effects into the file), "fail …" as below, "clear"
 *   SHIM_KILL_AT            SIGKILL to itself instead of this effect
 *   SHIM_TEAR               bytes of that effect, a write, that still happen
 *   SHIM_FAIL               "FROM UNTIL ERRNO KINDS SHORT TIMES": of the effects FROM to UNTIL the first TIMES that are of
 *                           the KINDS (w write, s sync, c create, m other metadata) fail; with SHORT 1, a write at
 *                           FROM writes a half of its bytes and succeeds instead
 *   SHIM_IGNORE_SYNC        syncs of the paths below the directory that match this pattern succeed and do nothing
 *   SHIM_SYNC_MICROSECONDS  how long a sync takes
 *
 * A record of the journal is "KIND EFFECT FILE OFFSET LENGTH\n", LENGTH bytes, and "\n". FILE is an inode number.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 65536
#define MAX_STREAMS 4096

struct descriptor {
  char *path; /* NULL: not below the directory */
  ino_t file;
  int is_directory;
  int is_control;
};

struct faults {
  long from, until;
  int error;
  char kinds[8];
  int shorten;
  long times;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct descriptor descriptors[MAX_DESCRIPTORS];
static struct { FILE *stream; int descriptor; } streams[MAX_STREAMS];
static const char *directory, *control, *ignore_sync;
static size_t directory_length;
static int journal = -1;
static long effects, kill_at = -1, tear;
static struct faults faults;
static useconds_t sync_time;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat)(int, const char *, int, const char *);
static int (*real_unlink)(const char *);
static int (*real_link)(const char *, const char *);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_rmdir)(const char *);
static int (*real_ftruncate)(int, off64_t);
static int (*real_truncate)(const char *, off64_t);
static FILE *(*real_fopen)(const char *, const char *);
static int (*real_fclose)(FILE *);
static int (*real_fileno)(FILE *);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off64_t);
static int (*real_sync_file_range)(int, off64_t, off64_t, unsigned);

static void die(const char *what) {
  dprintf(2, "power-cut shim: %s: %s\n", what, strerror(errno));
  abort();
}

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) die(name);
  return found;
}

static void set_faults(const char *text) {
  memset(&faults, 0, sizeof faults);
  if (sscanf(text, "%ld %ld %d %7s %d %ld", &faults.from, &faults.until, &faults.error, faults.kinds,
             &faults.shorten, &faults.times) != 6)
    die("SHIM_FAIL cannot be read");
}

static void start(void) {
  real_open = real("open64");
  real_openat = real("openat64");
  real_close = real("close");
  real_write = real("write");
  real_pwrite = real("pwrite64");
  real_fsync = real("fsync");
  real_fdatasync = real("fdatasync");
  real_rename = real("rename");
  real_renameat = real("renameat");
  real_unlink = real("unlink");
  real_link = real("link");
  real_mkdir = real("mkdir");
  real_rmdir = real("rmdir");
  real_ftruncate = real("ftruncate64");
  real_truncate = real("truncate64");
  real_fopen = real("fopen64");
  real_fclose = real("fclose");
  real_fileno = real("fileno");
  real_writev = real("writev");
  real_pwritev = real("pwritev64");
  real_sync_file_range = real("sync_file_range");
  directory = getenv("SHIM_DIRECTORY");
  if (directory == NULL) return;
  directory_length = strlen(directory);
  control = getenv("SHIM_CONTROL");
  ignore_sync = getenv("SHIM_IGNORE_SYNC");
  const char *text;
  if ((text = getenv("SHIM_SYNC_MICROSECONDS")) != NULL) sync_time = (useconds_t)atol(text);
  if ((text = getenv("SHIM_KILL_AT")) != NULL) kill_at = atol(text);
  if ((text = getenv("SHIM_TEAR")) != NULL) tear = atol(text);
  if ((text = getenv("SHIM_FAIL")) != NULL) set_faults(text);
  if ((text = getenv("SHIM_JOURNAL")) != NULL) {
    journal = real_open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (journal < 0) die(text);
  }
}

static void ready(void) { pthread_once(&once, start); }

/* The absolute path without "." and "..", or 0 if it is not below the directory. */
static int watched(int base, const char *path, char *absolute) {
  ready();
  if (directory == NULL || path == NULL) return 0;
  char joined[2 * PATH_MAX];
  if (path[0] == '/') {
    snprintf(joined, sizeof joined, "%s", path);
  } else {
    char here[PATH_MAX];
    if (base == AT_FDCWD) {
      if (getcwd(here, sizeof here) == NULL) return 0;
    } else {
      char name[64];
      snprintf(name, sizeof name, "/proc/self/fd/%d", base);
      ssize_t length = readlink(name, here, sizeof here - 1);
      if (length < 0) return 0;
      here[length] = 0;
    }
    snprintf(joined, sizeof joined, "%s/%s", here, path);
  }
  size_t length = 0;
  for (char *state, *part = strtok_r(joined, "/", &state); part != NULL; part = strtok_r(NULL, "/", &state)) {
    if (strcmp(part, ".") == 0) continue;
    if (strcmp(part, "..") == 0) {
      while (length > 0 && absolute[--length] != '/');
      continue;
    }
    size_t size = strlen(part);
    if (length + size + 2 > PATH_MAX) return 0;
    absolute[length++] = '/';
    memcpy(absolute + length, part, size);
    length += size;
  }
  absolute[length] = 0;
  if (strncmp(absolute, directory, directory_length) != 0) return 0;
  return absolute[directory_length] == 0 || absolute[directory_length] == '/';
}

static void record(const char *kind, long effect, ino_t file, off64_t offset, const void *bytes, size_t length) {
  if (journal < 0) return;
  char header[160];
  int size = snprintf(header, sizeof header, "%s %ld %lu %ld %zu\n", kind, effect, (unsigned long)file, (long)offset, length);
  struct iovec parts[3] = {{header, (size_t)size}, {(void *)bytes, length}, {"\n", 1}};
  while (parts[0].iov_len + parts[1].iov_len + parts[2].iov_len > 0) {
    ssize_t written = real_writev(journal, parts, 3);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) die("the journal cannot be written");
    for (int index = 0; index < 3; index++) {
      size_t step = (size_t)written < parts[index].iov_len ? (size_t)written : parts[index].iov_len;
      parts[index].iov_base = (char *)parts[index].iov_base + step;
      parts[index].iov_len -= step;
      written -= (ssize_t)step;
    }
  }
}

static const char *below(const char *absolute) {
  return absolute[directory_length] == 0 ? "." : absolute + directory_length + 1;
}

static void record_path(const char *kind, long effect, ino_t file, const char *absolute) {
  const char *name = below(absolute);
  record(kind, effect, file, 0, name, strlen(name));
}

static void record_paths(const char *kind, long effect, const char *from, const char *to) {
  char both[2 * PATH_MAX + 2];
  int size = snprintf(both, sizeof both, "%s%c%s", below(from), '\n', below(to));
  record(kind, effect, 0, 0, both, (size_t)size);
}

static void end_now(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts one effect. Returns 0 or the error that it fails with. Called with the lock held; dies where it is told to. */
static int next_effect(char kind, long *number) {
  *number = ++effects;
  if (*number == kill_at && kind != 'w') end_now();
  if (faults.from == 0 || *number < faults.from || *number > faults.until) return 0;
  if (strchr(faults.kinds, kind) == NULL || faults.times == 0) return 0;
  faults.times--;
  return faults.error;
}

static int failed(int error) {
  pthread_mutex_unlock(&lock);
  errno = error;
  return -1;
}

static int done(int result) {
  int error = errno;
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

static struct descriptor *known(int descriptor) {
  ready();
  if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS) return NULL;
  struct descriptor *entry = &descriptors[descriptor];
  return entry->path != NULL || entry->is_control ? entry : NULL;
}

static void forget(int descriptor) {
  if (descriptor < 0 || descriptor >= MAX_DESCRIPTORS) return;
  struct descriptor *entry = &descriptors[descriptor];
  free(entry->path);
  memset(entry, 0, sizeof *entry);
}

static int open_watched(const char *absolute, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  struct stat status;
  int existed = lstat(absolute, &status) == 0;
  long number = effects;
  int creates = (flags & O_CREAT) != 0 && !existed;
  int truncates = (flags & O_TRUNC) != 0 && existed && S_ISREG(status.st_mode) && !((flags & O_CREAT) && (flags & O_EXCL));
  if (creates || (truncates && status.st_size > 0)) {
    int error = next_effect(creates ? 'c' : 'm', &number);
    if (error != 0) return failed(error);
  }
  int descriptor = real_open(absolute, flags, mode);
  if (descriptor < 0) return done(descriptor);
  if (descriptor >= MAX_DESCRIPTORS) die("too many descriptors");
  if (fstat(descriptor, &status) != 0) die(absolute);
  forget(descriptor);
  descriptors[descriptor] = (struct descriptor){strdup(absolute), status.st_ino, S_ISDIR(status.st_mode), 0};
  if (creates) record_path("create", number, status.st_ino, absolute);
  else record_path("open", number, status.st_ino, absolute);
  if (truncates) record("truncate", number, status.st_ino, 0, NULL, 0);
  return done(descriptor);
}

static int open_any(int base, const char *path, int flags, mode_t mode) {
  char absolute[PATH_MAX];
  if (watched(base, path, absolute) && (flags & O_TMPFILE) != O_TMPFILE) return open_watched(absolute, flags, mode);
  int descriptor = real_openat(base, path, flags, mode);
  if (descriptor >= 0 && descriptor < MAX_DESCRIPTORS) {
    pthread_mutex_lock(&lock);
    forget(descriptor);
    descriptors[descriptor].is_control = control != NULL && path != NULL && strcmp(path, control) == 0;
    pthread_mutex_unlock(&lock);
  }
  return descriptor;
}

#define OPEN_MODE(flags, mode)                                  \
  mode_t mode = 0;                                              \
  if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) { \
    va_list rest;                                               \
    va_start(rest, flags);                                      \
    mode = va_arg(rest, mode_t);                                \
    va_end(rest);                                               \
  }

int open(const char *path, int flags, ...) { OPEN_MODE(flags, mode) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPEN_MODE(flags, mode) return open_any(AT_FDCWD, path, flags, mode); }
int openat(int base, const char *path, int flags, ...) { OPEN_MODE(flags, mode) return open_any(base, path, flags, mode); }
int openat64(int base, const char *path, int flags, ...) { OPEN_MODE(flags, mode) return open_any(base, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int descriptor) {
  if (known(descriptor) == NULL) return real_close(descriptor);
  pthread_mutex_lock(&lock);
  forget(descriptor);
  return done(real_close(descriptor));
}

static void obey(int descriptor, const char *bytes, size_t length) {
  char text[256];
  snprintf(text, sizeof text, "%.*s", (int)length, bytes);
  if (strncmp(text, "mark ", 5) == 0) record("mark", effects, 0, 0, bytes + 5, length - 5);
  else if (strcmp(text, "reset") == 0) effects = 0;
  else if (strcmp(text, "clear") == 0) memset(&faults, 0, sizeof faults);
  else if (strncmp(text, "fail ", 5) == 0) set_faults(text + 5);
  else if (strcmp(text, "count") == 0) {
    int size = snprintf(text, sizeof text, "%ld\n", effects);
    if (real_ftruncate(descriptor, 0) != 0 || real_pwrite(descriptor, text, (size_t)size, 0) != size) die("control");
  } else die("unknown command");
}

/* One write as one effect. `offset` is -1 for a write at the descriptor's own place. */
static ssize_t write_watched(struct descriptor *entry, int descriptor, const char *bytes, size_t length, off64_t offset) {
  pthread_mutex_lock(&lock);
  if (entry->is_control) {
    obey(descriptor, bytes, length);
    pthread_mutex_unlock(&lock);
    return (ssize_t)length;
  }
  long number;
  int error = next_effect('w', &number);
  if (error != 0 && faults.shorten && number == faults.from && length > 1) {
    error = 0;
    length /= 2;
  }
  if (error != 0) return failed(error);
  if (number == kill_at && (long)length > tear) length = (size_t)tear;
  off64_t at = offset;
  if (fcntl(descriptor, F_GETFL) & O_APPEND) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) die("fstat");
    at = status.st_size;
  } else if (offset < 0) {
    at = lseek64(descriptor, 0, SEEK_CUR);
  }
  ssize_t written = offset < 0 ? real_write(descriptor, bytes, length) : real_pwrite(descriptor, bytes, length, offset);
  if (written > 0) record("write", number, entry->file, at, bytes, (size_t)written);
  if (number == kill_at) end_now();
  return done((int)written);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  struct descriptor *entry = known(descriptor);
  if (entry == NULL) return real_write(descriptor, bytes, length);
  return write_watched(entry, descriptor, bytes, length, -1);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t offset) {
  struct descriptor *entry = known(descriptor);
  if (entry == NULL) return real_pwrite(descriptor, bytes, length, offset);
  return write_watched(entry, descriptor, bytes, length, offset);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
  return pwrite64(descriptor, bytes, length, offset);
}

static ssize_t write_parts(struct descriptor *entry, int descriptor, const struct iovec *parts, int count, off64_t offset) {
  size_t length = 0;
  for (int index = 0; index < count; index++) length += parts[index].iov_len;
  char *whole = malloc(length + 1);
  if (whole == NULL) die("malloc");
  size_t at = 0;
  for (int index = 0; index < count; index++) {
    memcpy(whole + at, parts[index].iov_base, parts[index].iov_len);
    at += parts[index].iov_len;
  }
  ssize_t written = write_watched(entry, descriptor, whole, length, offset);
  int error = errno;
  free(whole);
  errno = error;
  return written;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  struct descriptor *entry = known(descriptor);
  if (entry == NULL) return real_writev(descriptor, parts, count);
  return write_parts(entry, descriptor, parts, count, -1);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
  struct descriptor *entry = known(descriptor);
  if (entry == NULL) return real_pwritev(descriptor, parts, count, offset);
  return write_parts(entry, descriptor, parts, count, offset);
}
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(descriptor, parts, count, offset);
}

static int sync_watched(struct descriptor *entry, const char *kind) {
  pthread_mutex_lock(&lock);
  if (entry->is_control) return done(0);
  long number;
  int error = next_effect('s', &number);
  if (error == 0 && ignore_sync != NULL && fnmatch(ignore_sync, below(entry->path), 0) == 0) return done(0);
  ino_t file = entry->file;
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", below(entry->path));
  char begins[32];
  snprintf(begins, sizeof begins, "%s-begin", entry->is_directory ? "directory" : kind);
  record(begins, number, file, 0, path, strlen(path));
  pthread_mutex_unlock(&lock);
  if (sync_time > 0) usleep(sync_time);
  pthread_mutex_lock(&lock);
  record(error == 0 ? "sync-end" : "sync-failed", number, file, 0, NULL, 0);
  return error == 0 ? done(0) : failed(error);
}

int fsync(int descriptor) {
  struct descriptor *entry = known(descriptor);
  return entry == NULL ? real_fsync(descriptor) : sync_watched(entry, "fsync");
}

int fdatasync(int descriptor) {
  struct descriptor *entry = known(descriptor);
  return entry == NULL ? real_fdatasync(descriptor) : sync_watched(entry, "fdatasync");
}

/* Starts writing back and promises nothing: it counts, and makes nothing durable. */
int sync_file_range(int descriptor, off64_t offset, off64_t length, unsigned flags) {
  struct descriptor *entry = known(descriptor);
  if (entry == NULL) return real_sync_file_range(descriptor, offset, length, flags);
  pthread_mutex_lock(&lock);
  long number;
  int error = next_effect('s', &number);
  return error == 0 ? done(0) : failed(error);
}

int ftruncate64(int descriptor, off64_t length) {
  struct descriptor *entry = known(descriptor);
  if (entry == NULL || entry->is_control) return real_ftruncate(descriptor, length);
  pthread_mutex_lock(&lock);
  long number;
  int error = next_effect('m', &number);
  if (error != 0) return failed(error);
  int result = real_ftruncate(descriptor, length);
  if (result == 0) record("truncate", number, entry->file, length, NULL, 0);
  return done(result);
}
int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

int truncate64(const char *path, off64_t length) {
  char absolute[PATH_MAX];
  if (!watched(AT_FDCWD, path, absolute)) return real_truncate(path, length);
  int descriptor = open(path, O_WRONLY);
  if (descriptor < 0) return -1;
  int result = ftruncate64(descriptor, length);
  int error = errno;
  close(descriptor);
  errno = error;
  return result;
}
int truncate(const char *path, off_t length) { return truncate64(path, length); }

static int rename_at(int from_base, const char *from, int to_base, const char *to) {
  char old[PATH_MAX], new[PATH_MAX];
  int inside = watched(from_base, from, old);
  if (inside != watched(to_base, to, new)) die("a rename across the border of the watched directory");
  if (!inside) return real_renameat(from_base, from, to_base, to);
  pthread_mutex_lock(&lock);
  long number;
  int error = next_effect('m', &number);
  if (error != 0) return failed(error);
  int result = real_rename(old, new);
  if (result == 0) record_paths("rename", number, old, new);
  return done(result);
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from_base, const char *from, int to_base, const char *to) {
  return rename_at(from_base, from, to_base, to);
}

/* unlink, rmdir and mkdir: one path, one record. */
static int change_entry(const char *kind, char effect, const char *absolute, int (*call)(const char *)) {
  pthread_mutex_lock(&lock);
  struct stat status;
  if (lstat(absolute, &status) != 0) return done(-1);
  long number;
  int error = next_effect(effect, &number);
  if (error != 0) return failed(error);
  int result = call(absolute);
  if (result == 0) record_path(kind, number, 0, absolute);
  return done(result);
}

int unlink(const char *path) {
  char absolute[PATH_MAX];
  if (!watched(AT_FDCWD, path, absolute)) return real_unlink(path);
  return change_entry("unlink", 'm', absolute, real_unlink);
}
int rmdir(const char *path) {
  char absolute[PATH_MAX];
  if (!watched(AT_FDCWD, path, absolute)) return real_rmdir(path);
  return change_entry("rmdir", 'm', absolute, real_rmdir);
}
int unlinkat(int base, const char *path, int flags) {
  static int (*real_unlinkat)(int, const char *, int);
  char absolute[PATH_MAX];
  if (watched(base, path, absolute)) {
    if (flags & AT_REMOVEDIR) return change_entry("rmdir", 'm', absolute, real_rmdir);
    return change_entry("unlink", 'm', absolute, real_unlink);
  }
  if (real_unlinkat == NULL) real_unlinkat = real("unlinkat");
  return real_unlinkat(base, path, flags);
}
int remove(const char *path) {
  struct stat status;
  if (lstat(path, &status) != 0) return -1;
  return S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path);
}

int mkdir(const char *path, mode_t mode) {
  char absolute[PATH_MAX];
  if (!watched(AT_FDCWD, path, absolute)) return real_mkdir(path, mode);
  pthread_mutex_lock(&lock);
  struct stat status;
  if (lstat(absolute, &status) == 0) return failed(EEXIST);
  long number;
  int error = next_effect('c', &number);
  if (error != 0) return failed(error);
  int result = real_mkdir(absolute, mode);
  if (result == 0) record_path("mkdir", number, 0, absolute);
  return done(result);
}
int mkdirat(int base, const char *path, mode_t mode) {
  static int (*real_mkdirat)(int, const char *, mode_t);
  char absolute[PATH_MAX];
  if (watched(base, path, absolute)) return mkdir(absolute, mode);
  if (real_mkdirat == NULL) real_mkdirat = real("mkdirat");
  return real_mkdirat(base, path, mode);
}

int link(const char *from, const char *to) {
  char old[PATH_MAX], new[PATH_MAX];
  int inside = watched(AT_FDCWD, to, new);
  if (inside != watched(AT_FDCWD, from, old)) die("a link across the border of the watched directory");
  if (!inside) return real_link(from, to);
  pthread_mutex_lock(&lock);
  long number;
  int error = next_effect('c', &number);
  if (error != 0) return failed(error);
  int result = real_link(old, new);
  if (result == 0) record_paths("link", number, old, new);
  return done(result);
}
int symlink(const char *target, const char *path) {
  static int (*real_symlink)(const char *, const char *);
  char absolute[PATH_MAX];
  if (watched(AT_FDCWD, path, absolute)) die("symbolic links are not modelled");
  if (real_symlink == NULL) real_symlink = real("symlink");
  return real_symlink(target, path);
}

/* Streams. */

static ssize_t stream_read(void *cookie, char *bytes, size_t length) { return read((int)(long)cookie, bytes, length); }

static ssize_t stream_write(void *cookie, const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    ssize_t written = write((int)(long)cookie, bytes + at, length - at);
    if (written <= 0) return (ssize_t)at;
    at += (size_t)written;
  }
  return (ssize_t)at;
}

static int stream_seek(void *cookie, off64_t *offset, int whence) {
  off64_t at = lseek64((int)(long)cookie, *offset, whence);
  if (at < 0) return -1;
  *offset = at;
  return 0;
}

static int stream_close(void *cookie) { return close((int)(long)cookie); }

static FILE *fopen_any(const char *path, const char *mode) {
  char absolute[PATH_MAX];
  if (!watched(AT_FDCWD, path, absolute) || (mode[0] == 'r' && strchr(mode, '+') == NULL)) return real_fopen(path, mode);
  int flags = strchr(mode, '+') != NULL ? O_RDWR : O_WRONLY;
  if (mode[0] == 'w') flags |= O_CREAT | O_TRUNC;
  if (mode[0] == 'a') flags |= O_CREAT | O_APPEND;
  int descriptor = open_any(AT_FDCWD, path, flags, 0666);
  if (descriptor < 0) return NULL;
  FILE *stream = fopencookie((void *)(long)descriptor, mode, (cookie_io_functions_t){stream_read, stream_write, stream_seek, stream_close});
  if (stream == NULL) die("fopencookie");
  pthread_mutex_lock(&lock);
  int index = 0;
  while (index < MAX_STREAMS && streams[index].stream != NULL) index++;
  if (index == MAX_STREAMS) die("too many streams");
  streams[index].stream = stream;
  streams[index].descriptor = descriptor;
  pthread_mutex_unlock(&lock);
  return stream;
}
FILE *fopen(const char *path, const char *mode) { return fopen_any(path, mode); }
FILE *fopen64(const char *path, const char *mode) { return fopen_any(path, mode); }

int fileno(FILE *stream) {
  ready();
  int descriptor = -1;
  pthread_mutex_lock(&lock);
  for (int index = 0; index < MAX_STREAMS; index++)
    if (streams[index].stream == stream) descriptor = streams[index].descriptor;
  pthread_mutex_unlock(&lock);
  return descriptor >= 0 ? descriptor : real_fileno(stream);
}
int fileno_unlocked(FILE *stream) { return fileno(stream); }

int fclose(FILE *stream) {
  ready();
  pthread_mutex_lock(&lock);
  for (int index = 0; index < MAX_STREAMS; index++)
    if (streams[index].stream == stream) streams[index].stream = NULL;
  pthread_mutex_unlock(&lock);
  return real_fclose(stream);
}
