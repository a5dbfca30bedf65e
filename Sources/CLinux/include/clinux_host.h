// Kernel calls that HostSystem needs and Swift's Glibc module lacks: process descriptors, pipes, memory files,
// System V shared memory. Same rule as in clinux.h: no _GNU_SOURCE here.
#ifndef CHAOSRIG_CLINUX_HOST_H
#define CHAOSRIG_CLINUX_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// pidfd_open(2), close-on-exec: a descriptor that names this very process, also when its number is used again, and
/// that is readable once it has ended. Kernel 5.3 or later. Returns -1 with errno set.
int clinux_process_descriptor(pid_t pid);

/// pidfd_send_signal(2). Returns 0, or -1 with errno set.
int clinux_signal_process(int process_descriptor, int signal);

/// pipe2(2) with O_CLOEXEC: ends[0] is read, ends[1] is written.
int clinux_pipe(int ends[2]);

struct pollfd;

/// ppoll(2) without a signal mask: waits at most so many nanoseconds, for ever when negative.
int clinux_poll(struct pollfd *polled, unsigned long count, int64_t nanoseconds);

/// A file in memory that holds these bytes, close-on-exec, positioned at its start. Returns -1 with errno set.
int clinux_memory_file(const void *bytes, size_t count);

/// Removes a System V shared memory segment when it belongs to this user and nobody is attached.
/// Returns 1 removed, 0 there is none (or it is someone else's), -1 somebody is attached or it failed.
int clinux_remove_unused_shared_memory(int id, uint32_t owner);

/// Lets the kernel take back the pages of code that this process has in memory, of its program and of its libraries; what is
/// used again comes back from the page cache. A process that waits does not need the code of its start.
void clinux_forget_code(void);

#endif
