#define _GNU_SOURCE
#include "clinux_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t put = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return put == (ssize_t)strlen(text) ? 0 : -1;
}

static int loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct ifreq request = {.ifr_name = "lo"};
    int result = ioctl(fd, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP;
    if (result == 0) result = ioctl(fd, SIOCSIFFLAGS, &request);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

// A program that is executed by another user than root keeps only ambient capabilities.
static int keep_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return -1;
    for (int i = 0; i < 2; i++) data[i].inheritable = data[i].permitted;
    if (syscall(SYS_capset, &header, data) != 0) return -1;
    for (int capability = 0; capability < 64; capability++)
        if (data[capability / 32].permitted & (1u << capability % 32))
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    return 0;
}

int clinux_enter_private_stage(const char **step) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    *step = "make a network and a mount namespace";
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) {
        if (errno != EPERM || uid == 0) return -1;
        *step = "make a user namespace";
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0) return -1;
        char map[64];
        *step = "map the user in a user namespace";
        if (write_file("/proc/self/setgroups", "deny") != 0) return -1;
        snprintf(map, sizeof map, "%u %u 1", uid, uid);
        if (write_file("/proc/self/uid_map", map) != 0) return -1;
        snprintf(map, sizeof map, "%u %u 1", gid, gid);
        if (write_file("/proc/self/gid_map", map) != 0) return -1;
        *step = "keep the rights of a user namespace";
        if (keep_capabilities() != 0) return -1;
    }
    *step = "cut the mounts of a mount namespace off from others";
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -1;
    *step = "start loopback in a network namespace";
    return loopback_up();
}

int clinux_new_network(void) {
    if (unshare(CLONE_NEWNET) != 0 || loopback_up() != 0) return -1;
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int clinux_enter_network(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

int clinux_cover_file(const char *source, const char *target) { return mount(source, target, NULL, MS_BIND, NULL); }

int clinux_uncover_file(const char *target) { return umount2(target, MNT_DETACH); }

int clinux_exec(const char *path, char *const *argv) { return execv(path, argv); }
