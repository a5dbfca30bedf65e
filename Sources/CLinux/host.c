#define _GNU_SOURCE
#include "clinux_host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_process_descriptor(pid_t pid) {
    // By number of the call: glibc has the wrapper since 2.36 only. The kernel sets close-on-exec by itself.
    return (int)syscall(SYS_pidfd_open, pid, 0u);
}

int clinux_signal_process(int process_descriptor, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, process_descriptor, signal, NULL, 0u);
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_poll(struct pollfd *polled, unsigned long count, int64_t nanoseconds) {
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return ppoll(polled, count, nanoseconds < 0 ? NULL : &limit, NULL);
}

int clinux_memory_file(const void *bytes, size_t count) {
    int fd = memfd_create("chaosrig-input", MFD_CLOEXEC);
    if (fd < 0) return -1;
    for (size_t done = 0; done < count;) {
        ssize_t put = write(fd, (const char *)bytes + done, count - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
        done += (size_t)put;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

int clinux_remove_unused_shared_memory(int id, uint32_t owner) {
    struct shmid_ds state;
    if (shmctl(id, IPC_STAT, &state) != 0) return errno == EINVAL || errno == EIDRM || errno == EACCES ? 0 : -1;
    if (state.shm_perm.cuid != owner) return 0;
    if (state.shm_nattch != 0) {
        errno = EBUSY;
        return -1;
    }
    return shmctl(id, IPC_RMID, NULL) == 0 ? 1 : -1;
}

void clinux_forget_code(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return;
    char line[4352];
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char mode[5], path[4096];
        // Only what can be executed and not written: a private page that was written would be lost.
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %4095s", &from, &to, mode, path) == 4 && strcmp(mode, "r-xp") == 0 &&
            path[0] == '/')
            madvise((void *)from, to - from, MADV_DONTNEED);
    }
    fclose(maps);
}
