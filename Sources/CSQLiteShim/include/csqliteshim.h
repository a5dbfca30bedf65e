// An SQLite VFS in front of the default one: somebody else is asked before each call on a file, and told about it after.
// https://sqlite.org/vfs.html
#ifndef CHAOSRIG_CSQLITESHIM_H
#define CHAOSRIG_CSQLITESHIM_H

#include <stdint.h>

typedef enum {
    csqliteshim_open = 0,
    csqliteshim_read = 1,
    csqliteshim_write = 2,
    csqliteshim_sync = 3,
    // The write lock of the database, in WAL mode or in another.
    csqliteshim_write_lock = 4,
} csqliteshim_kind;

typedef enum {
    csqliteshim_other = 0,
    csqliteshim_database = 1,
    csqliteshim_log = 2,
} csqliteshim_file_kind;

typedef struct {
    csqliteshim_kind kind;
    csqliteshim_file_kind file;
    // It reads a page as a whole.
    int reads_page;
} csqliteshim_call;

// Of `before`: make the call, and spoil the page that it reads.
static const int csqliteshim_spoil = -1;

// Called on any thread that uses a database.
typedef struct {
    void *context;
    // Returns 0 to let the call be made, csqliteshim_spoil, or the SQLite code that it is to fail with.
    int (*before)(void *context, csqliteshim_call call);
    // code: the answer of the call, also of one that was not made.
    void (*after)(void *context, csqliteshim_call call, int code);
    // May replace the absolute path of a file; returns an SQLite code.
    int (*resolve)(void *context, char *path, int capacity);
    // Returns 1 when the name of this file leads elsewhere by now.
    int (*has_moved)(void *context, const char *path);
} csqliteshim_hooks;

// Registers the VFS under this name for the rest of the process; the hooks must stay usable as long. Returns an SQLite code.
//
// A spoiled page has the top bit of its first byte set. No page of a database under 2^31 pages begins so (a B-tree page
// begins with its kind, the first page with "S", the others with a page number), so SQLite always notices, and a mark that
// is on its way to the disk is found: it is taken off before it gets into the database, and refused by the log.
int csqliteshim_register(const char *name, const csqliteshim_hooks *hooks);

#endif
