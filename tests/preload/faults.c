/* System calls that fail as they do on bad disks and network file systems, for tests/log_faults.rs:
 * preloaded, it stands between a program and the C library.
 *
 * FAULT_FLOCK    each flock fails with this error number
 * FAULT_PERCENT  so many of a hundred writes to files named *emission.csv* fail or are short, and
 *                as many of the truncations that take back what was written
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int setting(const char *name)
{
    const char *text = getenv(name);
    return text ? atoi(text) : 0;
}

/* A number below 100, by a generator of our own: the program's stays as it is. */
static unsigned dice(void)
{
    static _Thread_local unsigned state;
    if (state == 0)
        state = (unsigned)getpid() * 2654435761u + 1;
    return rand_r(&state) % 100;
}

static int fails(int fd)
{
    char link[64], path[PATH_MAX];
    ssize_t length;
    if ((int)dice() >= setting("FAULT_PERCENT"))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return strstr(path, "emission.csv") != NULL;
}

int flock(int fd, int operation)
{
    static int (*next)(int, int);
    if (setting("FAULT_FLOCK") != 0) {
        errno = setting("FAULT_FLOCK");
        return -1;
    }
    if (!next)
        next = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return next(fd, operation);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static const int errors[] = { ENOSPC, EIO, EDQUOT, EINTR };
    static ssize_t (*next)(int, const void *, size_t);
    if (!next)
        next = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (count > 1 && fails(fd)) {
        unsigned which = dice() % 6;
        if (which < sizeof errors / sizeof *errors) {
            errno = errors[which];
            return -1;
        }
        count = 1 + dice() * (count - 1) / 100;
    }
    return next(fd, bytes, count);
}

int ftruncate64(int fd, off64_t length)
{
    static int (*next)(int, off64_t);
    if (!next)
        next = (int (*)(int, off64_t))dlsym(RTLD_NEXT, "ftruncate64");
    if (fails(fd)) {
        errno = EIO;
        return -1;
    }
    return next(fd, length);
}
