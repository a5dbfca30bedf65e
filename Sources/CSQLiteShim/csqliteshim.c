#include "csqliteshim.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    csqliteshim_hooks hooks;
} shim;

typedef struct {
    sqlite3_file file;
    shim *shim;
    csqliteshim_file_kind kind;
    // SQLite keeps it until the file is closed.
    const char *path;
    sqlite3_file *real;
} shim_file;

// The smallest page, and the mark of one that is spoiled.
enum { smallest_page = 512, mark = 0x80 };
// sqlite.org/walformat.html: the log's header, and that of each page in it; the lock of the writer.
enum { log_header = 32, frame_header = 24, wal_write_lock = 0 };

static shim *shim_of(sqlite3_vfs *vfs) { return (shim *)vfs; }
static shim_file *own(sqlite3_file *file) { return (shim_file *)file; }
static sqlite3_file *real(sqlite3_file *file) { return ((shim_file *)file)->real; }

static int before(shim *shim, csqliteshim_call call) { return shim->hooks.before(shim->hooks.context, call); }

static int after(shim *shim, csqliteshim_call call, int code) {
    shim->hooks.after(shim->hooks.context, call, code);
    return code;
}

// --- files -------------------------------------------------------------------------------------------------------

static int file_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int is_page(shim_file *file, int amount, sqlite3_int64 offset) {
    if (amount < smallest_page || (amount & (amount - 1)) != 0) return 0;
    switch (file->kind) {
    case csqliteshim_database: return offset % amount == 0;
    case csqliteshim_log:
        return offset >= log_header + frame_header &&
               (offset - log_header - frame_header) % (frame_header + amount) == 0;
    default: return 0;
    }
}

static int file_read(sqlite3_file *file, void *buffer, int amount, sqlite3_int64 offset) {
    shim_file *f = own(file);
    csqliteshim_call call = {csqliteshim_read, f->kind, is_page(f, amount, offset)};
    int verdict = before(f->shim, call);
    if (verdict > 0) return after(f->shim, call, verdict);
    int code = f->real->pMethods->xRead(f->real, buffer, amount, offset);
    if (verdict == csqliteshim_spoil && code == SQLITE_OK && call.reads_page) *(unsigned char *)buffer |= mark;
    return after(f->shim, call, code);
}

static int write_page(shim_file *f, const void *buffer, int amount, sqlite3_int64 offset) {
    if (f->kind == csqliteshim_log) return SQLITE_CORRUPT;
    unsigned char *clean = malloc((size_t)amount);
    if (!clean) return SQLITE_IOERR_NOMEM;
    memcpy(clean, buffer, (size_t)amount);
    clean[0] &= (unsigned char)~mark;
    int code = f->real->pMethods->xWrite(f->real, clean, amount, offset);
    free(clean);
    return code;
}

static int file_write(sqlite3_file *file, const void *buffer, int amount, sqlite3_int64 offset) {
    shim_file *f = own(file);
    csqliteshim_call call = {csqliteshim_write, f->kind, 0};
    int verdict = before(f->shim, call);
    if (verdict > 0) return after(f->shim, call, verdict);
    int is_spoiled = is_page(f, amount, offset) && (*(const unsigned char *)buffer & mark) != 0;
    return after(f->shim, call,
                 is_spoiled ? write_page(f, buffer, amount, offset)
                            : f->real->pMethods->xWrite(f->real, buffer, amount, offset));
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    shim_file *f = own(file);
    csqliteshim_call call = {csqliteshim_sync, f->kind, 0};
    int verdict = before(f->shim, call);
    return after(f->shim, call, verdict > 0 ? verdict : f->real->pMethods->xSync(f->real, flags));
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int file_lock(sqlite3_file *file, int level) {
    shim_file *f = own(file);
    // Who wants to write asks for RESERVED first. EXCLUSIVE alone is asked for at the end of each connection in WAL mode, to
    // see whether it is the last one, and to roll back what a dead process left.
    if (level != SQLITE_LOCK_RESERVED) return f->real->pMethods->xLock(f->real, level);
    csqliteshim_call call = {csqliteshim_write_lock, f->kind, 0};
    int verdict = before(f->shim, call);
    return after(f->shim, call, verdict > 0 ? verdict : f->real->pMethods->xLock(f->real, level));
}

static int file_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }

static int file_check_reserved(sqlite3_file *file, int *result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument) {
    shim_file *f = own(file);
    int code = f->real->pMethods->xFileControl(f->real, operation, argument);
    if (operation == SQLITE_FCNTL_HAS_MOVED && code == SQLITE_OK && *(int *)argument == 0 && f->path)
        *(int *)argument = f->shim->hooks.has_moved(f->shim->hooks.context, f->path);
    return code;
}

static int file_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int file_device(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **address) {
    return real(file)->pMethods->xShmMap(real(file), region, size, extend, address);
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    shim_file *f = own(file);
    if (offset != wal_write_lock || flags != (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE))
        return f->real->pMethods->xShmLock(f->real, offset, count, flags);
    csqliteshim_call call = {csqliteshim_write_lock, f->kind, 0};
    int verdict = before(f->shim, call);
    return after(f->shim, call, verdict > 0 ? verdict : f->real->pMethods->xShmLock(f->real, offset, count, flags));
}

static void shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int shm_unmap(sqlite3_file *file, int delete) { return real(file)->pMethods->xShmUnmap(real(file), delete); }

// Version 2: without memory maps of the database, whose reads nobody would see.
#define METHODS(version)                                                                                                \
    {version,     file_close,  file_read,   file_write,          file_truncate, file_sync,   file_size,                  \
     file_lock,   file_unlock, file_check_reserved, file_control, file_sector,  file_device, shm_map,                    \
     shm_lock,    shm_barrier, shm_unmap,   NULL,                NULL}
static const sqlite3_io_methods methods_1 = METHODS(1);
static const sqlite3_io_methods methods_2 = METHODS(2);

// --- the file system ---------------------------------------------------------------------------------------------

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    shim *s = shim_of(vfs);
    shim_file *f = own(file);
    memset(f, 0, sizeof *f);
    f->shim = s;
    f->path = name;
    f->real = (sqlite3_file *)(f + 1);
    f->kind = flags & SQLITE_OPEN_MAIN_DB ? csqliteshim_database
              : flags & SQLITE_OPEN_WAL   ? csqliteshim_log
                                          : csqliteshim_other;
    csqliteshim_call call = {csqliteshim_open, f->kind, 0};
    int verdict = before(s, call);
    if (verdict > 0) return after(s, call, verdict);
    f->real->pMethods = NULL;
    int code = s->real->xOpen(s->real, name, f->real, flags, out_flags);
    // SQLite closes what has methods, also after a failure.
    if (f->real->pMethods) f->file.pMethods = f->real->pMethods->iVersion >= 2 ? &methods_2 : &methods_1;
    return after(s, call, code);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    return shim_of(vfs)->real->xDelete(shim_of(vfs)->real, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    return shim_of(vfs)->real->xAccess(shim_of(vfs)->real, name, flags, result);
}

static int vfs_path(sqlite3_vfs *vfs, const char *name, int capacity, char *path) {
    shim *s = shim_of(vfs);
    int code = s->real->xFullPathname(s->real, name, capacity, path);
    // A path with symbolic links gives SQLITE_OK_SYMLINK.
    if ((code & 0xFF) != SQLITE_OK) return code;
    int resolved = s->hooks.resolve(s->hooks.context, path, capacity);
    return resolved == SQLITE_OK ? code : resolved;
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    return shim_of(vfs)->real->xRandomness(shim_of(vfs)->real, count, bytes);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    return shim_of(vfs)->real->xSleep(shim_of(vfs)->real, microseconds);
}

static int vfs_time(sqlite3_vfs *vfs, double *time) {
    return shim_of(vfs)->real->xCurrentTime(shim_of(vfs)->real, time);
}

static int vfs_time64(sqlite3_vfs *vfs, sqlite3_int64 *time) {
    return shim_of(vfs)->real->xCurrentTimeInt64(shim_of(vfs)->real, time);
}

static int vfs_error(sqlite3_vfs *vfs, int size, char *text) {
    return shim_of(vfs)->real->xGetLastError(shim_of(vfs)->real, size, text);
}

int csqliteshim_register(const char *name, const csqliteshim_hooks *hooks) {
    sqlite3_vfs *standard = sqlite3_vfs_find(NULL);
    // xCurrentTimeInt64 came with version 2.
    if (!standard || standard->iVersion < 2) return SQLITE_ERROR;
    shim *s = calloc(1, sizeof *s);
    char *kept = strdup(name);
    if (!s || !kept) {
        free(s);
        free(kept);
        return SQLITE_NOMEM;
    }
    s->real = standard;
    s->hooks = *hooks;
    // Loading of extensions is left out.
    s->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(shim_file) + standard->szOsFile,
        .mxPathname = standard->mxPathname,
        .zName = kept,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_error,
        .xCurrentTimeInt64 = vfs_time64,
    };
    return sqlite3_vfs_register(&s->vfs, 0);
}
