/*
 * A process group through libcpg: what the benchmark's floods and round trips are held against.
 *
 *   cpg listen | echo                 receives; the second answers each message of another node
 *   cpg flood SIZE SECONDS            prints "N msg/s cpu_self=P%"
 *   cpg rtt SIZE COUNT                one message at a time, until it comes back
 *   cpg pingpong SIZE COUNT           the same, until the echo of another node comes
 *   cpg count SIZE MESSAGES [threads] sends and receives in rounds of 64, for counting instructions;
 *                                     with a second, idle thread the C library takes other paths
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <corosync/cpg.h>

static cpg_handle_t handle;
static unsigned int here;
static int answers;
static atomic_ulong own, others;

static double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void check(cs_error_t result, const char *what)
{
    if (result != CS_OK) {
        fprintf(stderr, "%s: error %d\n", what, result);
        exit(1);
    }
}

/* When there is no room: again at once for a flood, as the least client does, else after a moment. */
static void send_message(void *data, size_t size, int again_at_once)
{
    struct iovec part = { data, size };
    cs_error_t result;

    while ((result = cpg_mcast_joined(handle, CPG_TYPE_AGREED, &part, 1)) == CS_ERR_TRY_AGAIN)
        if (!again_at_once)
            poll(NULL, 0, 1);
    check(result, "send");
}

static void deliver(cpg_handle_t unused, const struct cpg_name *group, uint32_t node, uint32_t pid,
                    void *message, size_t length)
{
    if (node == here) {
        own++;
    } else {
        others++;
        if (answers)
            send_message(message, length, 0);
    }
}

static void members(cpg_handle_t unused, const struct cpg_name *group,
                    const struct cpg_address *all, size_t all_count,
                    const struct cpg_address *left, size_t left_count,
                    const struct cpg_address *joined, size_t joined_count)
{
}

static void *receive(void *unused)
{
    cpg_dispatch(handle, CS_DISPATCH_BLOCKING);
    return unused;
}

static void *idle(void *unused)
{
    pause();
    return unused;
}

static void receive_until(int fd, atomic_ulong *counter, unsigned long wanted)
{
    while (*counter < wanted) {
        struct pollfd ready = { fd, POLLIN, 0 };

        poll(&ready, 1, -1);
        check(cpg_dispatch(handle, CS_DISPATCH_ALL), "dispatch");
    }
}

static void flood(void *data, size_t size, double seconds)
{
    pthread_t thread;
    double start, processor, elapsed;
    unsigned long before;

    pthread_create(&thread, NULL, receive, NULL);
    start = now(CLOCK_MONOTONIC);
    processor = now(CLOCK_PROCESS_CPUTIME_ID);
    before = own + others;
    do
        send_message(data, size, 1);
    while ((elapsed = now(CLOCK_MONOTONIC) - start) < seconds);
    processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
    printf("%.0f msg/s cpu_self=%.0f%%\n", (own + others - before) / elapsed,
           100 * processor / elapsed);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

static void round_trips(int fd, void *data, size_t size, unsigned long count, int echoed)
{
    double *took = calloc(count, sizeof(double));

    for (unsigned long i = 0; i < count; i++) {
        double start = now(CLOCK_MONOTONIC);
        unsigned long own_before = own, others_before = others;

        send_message(data, size, 0);
        if (echoed)
            receive_until(fd, &others, others_before + 1);
        else
            receive_until(fd, &own, own_before + 1);
        took[i] = now(CLOCK_MONOTONIC) - start;
        receive_until(fd, &own, own_before + 1);
    }
    qsort(took, count, sizeof(double), ascending);
    printf("median %.0f us p90 %.0f us\n", took[count / 2] * 1e6, took[count * 9 / 10] * 1e6);
}

static void count_messages(int fd, void *data, size_t size, unsigned long count, int threads)
{
    pthread_t thread;

    if (threads)
        pthread_create(&thread, NULL, idle, NULL);
    for (unsigned long sent = 1; sent <= count; sent++) {
        send_message(data, size, 0);
        if (sent % 64 == 0 && sent > 64)
            receive_until(fd, &own, sent - 64);
    }
    receive_until(fd, &own, count);
}

int main(int count, char **arguments)
{
    cpg_callbacks_t callbacks = { deliver, members };
    struct cpg_name group = { .length = 4, .value = "pfbn" };
    const char *mode = count > 1 ? arguments[1] : "";
    size_t size = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
    unsigned long number = count > 3 ? strtoul(arguments[3], NULL, 10) : 0;
    void *data = calloc(1, size + 1);
    int fd;

    if (strcmp(mode, "count") == 0)
        group = (struct cpg_name) { .length = 5, .value = "count" };
    check(cpg_initialize(&handle, &callbacks), "connect");
    check(cpg_local_get(handle, &here), "ask for the local node");
    check(cpg_join(handle, &group), "join");
    check(cpg_fd_get(handle, &fd), "ask for the descriptor");
    answers = strcmp(mode, "echo") == 0;
    if (answers || strcmp(mode, "listen") == 0)
        receive(NULL);
    else if (size == 0 || number == 0)
        return 2;
    else if (strcmp(mode, "flood") == 0)
        flood(data, size, number);
    else if (strcmp(mode, "rtt") == 0)
        round_trips(fd, data, size, number, 0);
    else if (strcmp(mode, "pingpong") == 0)
        round_trips(fd, data, size, number, 1);
    else if (strcmp(mode, "count") == 0)
        count_messages(fd, data, size, number, count > 4);
    else
        return 2;
    return 0;
}
