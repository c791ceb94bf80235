/*
 * Preloaded into a process: while the file HELD_SWITCH exists, writes and syncs of what lies below HELD_DIRECTORY do not
 * return ("hang" in the file), or fail for want of room ("full").
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* A macro in glibc where optimised. */
#undef fwrite_unlocked

static int is_below(int descriptor) {
  const char *directory = getenv("HELD_DIRECTORY");
  char link[64], path[PATH_MAX];
  if (directory == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, directory, strlen(directory)) == 0;
}

/* What the switch says: nothing, 'h' or 'f'. */
static char held(void) {
  char first = 0;
  int file = open(getenv("HELD_SWITCH"), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  if (read(file, &first, 1) != 1) first = 0;
  close(file);
  return first;
}

/* True when the call must fail for want of room. */
static int is_full(int descriptor) {
  if (!is_below(descriptor)) return 0;
  char now = held();
  for (; now == 'h'; now = held()) usleep(20000);
  if (now != 'f') return 0;
  errno = ENOSPC;
  return 1;
}

/* LevelDB writes through streams, whose own writes cannot be preloaded. */
size_t fwrite_unlocked(const void *bytes, size_t size, size_t count, FILE *stream) {
  static size_t (*real)(const void *, size_t, size_t, FILE *);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "fwrite_unlocked");
  return is_full(fileno(stream)) ? 0 : real(bytes, size, count, stream);
}

int fflush_unlocked(FILE *stream) {
  static int (*real)(FILE *);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "fflush_unlocked");
  return stream != NULL && is_full(fileno(stream)) ? EOF : real(stream);
}

#define HELD(type, name, parameters, arguments)                     \
  type name parameters {                                            \
    static type(*real) parameters;                                  \
    if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, #name);    \
    return is_full(descriptor) ? -1 : real arguments;               \
  }

HELD(ssize_t, write, (int descriptor, const void *bytes, size_t length), (descriptor, bytes, length))
HELD(ssize_t, pwrite, (int descriptor, const void *bytes, size_t length, off_t at), (descriptor, bytes, length, at))
HELD(ssize_t, pwrite64, (int descriptor, const void *bytes, size_t length, off64_t at), (descriptor, bytes, length, at))
HELD(ssize_t, writev, (int descriptor, const struct iovec *parts, int count), (descriptor, parts, count))

/* A sync cannot want for room that the writes before it found. */
static int synced(int descriptor, int (*real)(int)) {
  while (is_below(descriptor) && held() == 'h') usleep(20000);
  return real(descriptor);
}
int fdatasync(int descriptor) { return synced(descriptor, (int (*)(int))dlsym(RTLD_NEXT, "fdatasync")); }
int fsync(int descriptor) { return synced(descriptor, (int (*)(int))dlsym(RTLD_NEXT, "fsync")); }
