/*
 * Sends COUNT messages of SIZE bytes to a group of its own and receives them, in rounds of 64: what
 * the least client in C costs, for the comparison of instructions. With "threads" there is a second
 * thread, which does nothing: the C library of the system takes other paths then.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <corosync/cpg.h>

static unsigned long received;

static void deliver(cpg_handle_t handle, const struct cpg_name *group, uint32_t node, uint32_t pid,
                    void *message, size_t length)
{
    received++;
}

static void members(cpg_handle_t handle, const struct cpg_name *group,
                    const struct cpg_address *all, size_t all_count,
                    const struct cpg_address *left, size_t left_count,
                    const struct cpg_address *joined, size_t joined_count)
{
}

static void *idle(void *unused)
{
    pause();
    return unused;
}

static void receive_until(cpg_handle_t handle, int fd, unsigned long wanted)
{
    while (received < wanted) {
        struct pollfd ready = { fd, POLLIN, 0 };
        poll(&ready, 1, -1);
        if (cpg_dispatch(handle, CS_DISPATCH_ALL) != CS_OK)
            exit(4);
    }
}

int main(int count, char **arguments)
{
    cpg_callbacks_t callbacks = { deliver, members };
    struct cpg_name group = { .length = 5, .value = "count" };
    cpg_handle_t handle;
    pthread_t thread;
    int fd;

    if (count < 3)
        return 2;
    size_t size = strtoul(arguments[1], NULL, 10);
    unsigned long messages = strtoul(arguments[2], NULL, 10);
    struct iovec part = { calloc(1, size), size };
    if (count > 3)
        pthread_create(&thread, NULL, idle, NULL);
    if (cpg_initialize(&handle, &callbacks) != CS_OK || cpg_join(handle, &group) != CS_OK
        || cpg_fd_get(handle, &fd) != CS_OK)
        return 3;
    for (unsigned long sent = 1; sent <= messages; sent++) {
        cs_error_t result;
        while ((result = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &part, 1)) == CS_ERR_TRY_AGAIN)
            poll(NULL, 0, 1);
        if (result != CS_OK)
            return 4;
        if (sent % 64 == 0 && sent > 64)
            receive_until(handle, fd, sent - 64);
    }
    receive_until(handle, fd, messages);
    return 0;
}
