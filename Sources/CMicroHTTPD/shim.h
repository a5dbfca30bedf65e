#include <microhttpd.h>

/// How a daemon is started here; every pointer stays the caller's and must stay valid until the daemon is stopped.
typedef struct {
    int listener;                         // a listening socket, which the daemon takes over
    unsigned int connection_limit;
    unsigned int idle_seconds;            // a connection on which nothing moves for so long is closed
    size_t connection_memory;             // bytes for the head of a request
    MHD_AccessHandlerCallback handler;
    MHD_RequestCompletedCallback completed;
    void *context;                        // given to both
} cmicrohttpd_settings;

/// Undoes the escapes of a path or an argument, in place; returns its length. It is a C string, so %00 would cut off the rest,
/// and the request would be for something else: such a text becomes empty, which is no path.
static inline size_t cmicrohttpd_unescape(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    for (const char *c = text; *c; c++) {
        if (c[0] == '%' && c[1] == '0' && c[2] == '0') {
            *text = 0;
            return 0;
        }
    }
    return MHD_http_unescape(text);
}

/// MHD_start_daemon takes its options as variable arguments, which Swift cannot pass. One thread that waits with epoll;
/// connections can be suspended. Returns NULL when it could not be started.
static inline struct MHD_Daemon *cmicrohttpd_start(const cmicrohttpd_settings *s) {
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, s->handler, s->context,
        MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_CONNECTION_LIMIT, s->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, s->idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->connection_memory,
        MHD_OPTION_UNESCAPE_CALLBACK, cmicrohttpd_unescape, NULL,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, 0u, MHD_OPTION_NOTIFY_COMPLETED, s->completed, s->context, MHD_OPTION_END);
}
