#include <sqlite3.h>

/* sqlite3_config takes variable arguments, which Swift cannot call. */
static inline int csqlite_disable_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
static inline int csqlite_set_mutexes(sqlite3_mutex_methods *methods) {
    return sqlite3_config(SQLITE_CONFIG_MUTEX, methods);
}
