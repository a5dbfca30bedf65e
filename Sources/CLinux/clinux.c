#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_accept_nonblocking(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_peek(int fd) {
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 ? 1 : (int)got;
}

int clinux_reset_on_close(int fd) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void clinux_name_thread(const char *name) {
    char kept[16] = {0};
    for (int i = 0; i < 15 && name[i]; i++) kept[i] = name[i];
    pthread_setname_np(pthread_self(), kept);
}

// Runs in the child, between fork and exec: async-signal-safe calls only.
static void exec_child(const clinux_spawn_request *r, int report_fd, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < 32; s++) signal(s, SIG_DFL);
    if (r->new_session) setsid();

    int null_fd = open("/dev/null", O_RDWR);
    int wanted[3] = {r->stdin_fd, r->stdout_fd, r->stderr_fd};
    // Lift the sources above 2 first, so that placing one does not overwrite the next.
    for (int i = 0; i < 3; i++) {
        int source = wanted[i] >= 0 ? wanted[i] : null_fd;
        wanted[i] = fcntl(source, F_DUPFD, 10);
        if (wanted[i] < 0) goto failed;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(wanted[i], i) < 0) goto failed;

    if (r->network_fd >= 0 && setns(r->network_fd, CLONE_NEWNET) != 0) goto failed;
    if (r->gid != UINT32_MAX && (setgroups(0, NULL) != 0 || setgid(r->gid) != 0)) goto failed;
    if (r->uid != UINT32_MAX && setuid(r->uid) != 0) goto failed;
    if (r->working_dir && chdir(r->working_dir) != 0) goto failed;
    // After the change of user, which clears it. The parent may have died before.
    if (r->death_signal && prctl(PR_SET_PDEATHSIG, r->death_signal, 0, 0, 0) != 0) goto failed;
    if (r->death_signal && getppid() != parent) _exit(127);

    // Everything else becomes close-on-exec instead of closed, so the report pipe stays usable until exec.
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
    if (r->keep_fd >= 3) fcntl(r->keep_fd, F_SETFD, 0);
    execve(r->path, r->argv, r->envp);

failed:;
    int error = errno;
    ssize_t ignored = write(report_fd, &error, sizeof error);
    (void)ignored;
    _exit(127);
}

pid_t clinux_spawn(const clinux_spawn_request *request) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) exec_child(request, report[1], parent);
    int fork_errno = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        errno = fork_errno;
        return -1;
    }
    int error = 0;
    ssize_t got;
    do got = read(report[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        errno = error;
        return -1;
    }
    return pid;
}

pid_t clinux_wait(pid_t pid, int no_hang, int *exited, int *code) {
    int status = 0;
    pid_t got;
    do got = waitpid(pid, &status, no_hang ? WNOHANG : 0);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        *exited = WIFEXITED(status) ? 1 : 0;
        *code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    }
    return got;
}

int clinux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

void clinux_futex_wait(void *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void clinux_futex_wake(void *word, int count) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0); }

static __thread void *current_loop;
static __thread int32_t current_loop_number = -1;

void *clinux_current_loop(void) { return current_loop; }

int32_t clinux_current_loop_number(void) { return current_loop_number; }

void clinux_set_current_loop(void *loop, int32_t number) {
    current_loop = loop;
    current_loop_number = number;
}

// --- crashes -----------------------------------------------------------------------------------------------------

static const int crash_signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
enum { crash_signal_count = sizeof crash_signals / sizeof crash_signals[0] };
static struct sigaction before_crash[crash_signal_count];
static const char *crash_text;
static const volatile uint64_t *crash_numbers;
static int crash_number_count;

// Only calls that signal-safety(7) allows.
static void tell_and_go_on(int signal_number) {
    if (write(STDERR_FILENO, crash_text, strlen(crash_text)) < 0) return;
    for (int i = 0; i < crash_number_count; i++) {
        uint64_t number = crash_numbers[i];
        if (number == UINT64_MAX) continue;
        char digits[24];
        size_t begin = sizeof digits;
        do {
            digits[--begin] = (char)('0' + number % 10);
            number /= 10;
        } while (number > 0);
        digits[--begin] = ' ';
        if (write(STDERR_FILENO, digits + begin, sizeof digits - begin) < 0) return;
    }
    if (write(STDERR_FILENO, "\n", 1) < 0) return;
    for (int i = 0; i < crash_signal_count; i++) {
        // The instruction runs again on return, and its signal then goes where it would have gone.
        if (crash_signals[i] == signal_number) sigaction(signal_number, &before_crash[i], NULL);
    }
}

void clinux_tell_on_crash(const char *text, const uint64_t *numbers, int count) {
    int is_installed = crash_text != NULL;
    crash_text = text;
    crash_numbers = numbers;
    crash_number_count = count;
    if (is_installed) return;
    struct sigaction action = {0};
    action.sa_handler = tell_and_go_on;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < crash_signal_count; i++) sigaction(crash_signals[i], &action, &before_crash[i]);
}

// --- limits of processes -----------------------------------------------------------------------------------------

int clinux_process_limit(pid_t pid, int resource, const uint64_t *new_soft, uint64_t *soft, uint64_t *hard) {
    struct rlimit64 now;
    if (prlimit64(pid, resource, NULL, &now) != 0) return -1;
    if (new_soft) {
        struct rlimit64 wanted = {.rlim_cur = *new_soft, .rlim_max = now.rlim_max};
        if (prlimit64(pid, resource, &wanted, NULL) != 0) return -1;
        if (prlimit64(pid, resource, NULL, &now) != 0) return -1;
    }
    *soft = now.rlim_cur;
    *hard = now.rlim_max;
    return 0;
}
