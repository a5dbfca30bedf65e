// Namespaces: a network and a mount table of the process's own. Same rule as in clinux.h: no _GNU_SOURCE here.
#ifndef CHAOSRIG_CLINUX_NAMESPACE_H
#define CHAOSRIG_CLINUX_NAMESPACE_H

/// Moves this process into a network and a mount namespace of its own, with loopback up and no mount that could reach others.
/// Without the right to do so (and not as root, who could no longer become another user then) also into a user namespace in
/// which it keeps its number and has every capability, and so have the programs that it starts. Only while it has one thread.
/// Returns 0, or -1 with errno set and the step that failed in `step`; the process is of no use then.
int clinux_enter_private_stage(const char **step);

/// A new network namespace with loopback up, for the calling thread, which should end soon. Returns a close-on-exec
/// descriptor of it, or -1 with errno set.
int clinux_new_network(void);

/// Moves the calling thread into a network namespace. Returns 0, or -1 with errno set.
int clinux_enter_network(int descriptor);

/// Shows the file `source` in place of the file `target` (mount --bind), for this mount namespace. Returns 0, or -1 with errno
/// set.
int clinux_cover_file(const char *source, const char *target);

/// Takes the last cover away again. Returns 0, or -1 with errno set.
int clinux_uncover_file(const char *target);

/// Replaces this process by a program, with this environment. Returns only when that failed, with errno set.
int clinux_exec(const char *path, char *const *argv);

#endif
