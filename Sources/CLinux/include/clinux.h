// Kernel calls and constants that Swift's Glibc module lacks, or imports in a form that cannot be used.
//
// Rule: no _GNU_SOURCE in this header. It breaks debug builds of every Swift importer ("fds_bits ... not present in
// definition of fd_set"). clinux.c may define it.
#ifndef CHAOSRIG_CLINUX_H
#define CHAOSRIG_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/types.h>

// --- epoll -------------------------------------------------------------------------------------------------------

static const uint32_t clinux_EPOLLIN = 0x001;
static const uint32_t clinux_EPOLLPRI = 0x002;
static const uint32_t clinux_EPOLLOUT = 0x004;
static const uint32_t clinux_EPOLLERR = 0x008;
static const uint32_t clinux_EPOLLHUP = 0x010;
static const uint32_t clinux_EPOLLRDHUP = 0x2000;
static const uint32_t clinux_EPOLLEXCLUSIVE = 1u << 28;
static const uint32_t clinux_EPOLLONESHOT = 1u << 30;
static const uint32_t clinux_EPOLLET = 1u << 31;

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC; the peer's address is not asked for.
int clinux_accept_nonblocking(int listener);

/// A byte can be read, or the peer has closed, without taking anything: recv(2) with MSG_PEEK | MSG_DONTWAIT.
/// Returns 1 data waits, 0 the peer has closed, -1 nothing waits (errno EAGAIN) or an error (errno).
int clinux_peek(int fd);

/// Sets SO_LINGER {1, 0}, so that the next close(2) sends a RST.
int clinux_reset_on_close(int fd);

/// Names the calling thread (at most 15 bytes are kept).
void clinux_name_thread(const char *name);

/// A pointer and a number that belong to the calling thread; NULL and -1 until they are set.
void *clinux_current_loop(void);
int32_t clinux_current_loop_number(void);
void clinux_set_current_loop(void *loop, int32_t number);

// --- crashes -----------------------------------------------------------------------------------------------------

/// Before the process dies of a trap or another crash: writes the text and then the numbers to standard error, without those
/// that are UINT64_MAX. What was installed before goes on afterwards. Text and numbers must stay; a second call replaces them.
void clinux_tell_on_crash(const char *text, const uint64_t *numbers, int count);

// --- locks -------------------------------------------------------------------------------------------------------

/// Sleeps while the 32-bit word has this value (futex(2), private). May return early.
void clinux_futex_wait(void *word, uint32_t value);

/// Wakes up to `count` threads that sleep on the word.
void clinux_futex_wake(void *word, int count);

/// Tells the processor that this is a loop that waits for another thread.
static inline void clinux_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// --- processes ---------------------------------------------------------------------------------------------------

/// What clinux_spawn needs; every pointer stays the caller's.
typedef struct {
    const char *path;            // absolute path of the program
    char *const *argv;           // NULL terminated
    char *const *envp;           // NULL terminated
    const char *working_dir;     // or NULL: inherit
    int stdin_fd;                // or -1: /dev/null
    int stdout_fd;               // or -1: /dev/null
    int stderr_fd;               // or -1: /dev/null
    int keep_fd;                 // one more descriptor that the child keeps, under the same number; or -1
    uint32_t uid;                // or UINT32_MAX: unchanged
    uint32_t gid;                // or UINT32_MAX: unchanged (also clears the supplementary groups)
    int new_session;             // 1: setsid(), so the terminal's Ctrl-C does not reach the child
    int network_fd;              // a network namespace that the child enters before it becomes another user; or -1
    int death_signal;            // or 0: what the child gets when the thread that spawned it ends (PR_SET_PDEATHSIG)
} clinux_spawn_request;

/// fork + exec with what posix_spawn lacks (user, session, working directory). All descriptors except 0, 1, 2 and
/// keep_fd are closed in the child (kernel 5.11 or later); signal mask and dispositions are reset.
/// Returns the pid, or -1 with errno set, also when exec itself failed.
pid_t clinux_spawn(const clinux_spawn_request *request);

/// waitpid(2) decoded. Returns pid, 0 when the child still runs (no_hang), -1 on error.
/// exited is 1 with code = exit status, or 0 with code = the signal that ended it.
pid_t clinux_wait(pid_t pid, int no_hang, int *exited, int *code);

/// Reads a limit of a process (prlimit(2), RLIMIT_…), after its soft limit was set where `new_soft` is not NULL. Returns 0, or
/// -1 with errno set.
int clinux_process_limit(pid_t pid, int resource, const uint64_t *new_soft, uint64_t *soft, uint64_t *hard);

/// prctl(PR_SET_CHILD_SUBREAPER, 1): orphans of our children become ours, so they can be reaped and found.
int clinux_become_subreaper(void);

#endif
