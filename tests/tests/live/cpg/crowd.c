/* Processes that join a group, however many are in it, and stay until standard input ends.
 *
 * cc crowd.c -lcpg; ./a.out GROUP COUNT */
#include <corosync/cpg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int member(const char *name)
{
    cpg_model_v1_data_t model = {.model = CPG_MODEL_V1};
    struct cpg_name group = {.length = strlen(name)};
    cpg_handle_t handle;
    cs_error_t result;

    memcpy(group.value, name, group.length);
    result = cpg_model_initialize(&handle, CPG_MODEL_V1, (cpg_model_data_t *)&model, NULL);
    while (result == CS_OK && (result = cpg_join(handle, &group)) == CS_ERR_TRY_AGAIN) {
        usleep(1000);
        result = CS_OK;
    }
    return result;
}

int main(int argc, char **argv)
{
    int told[2], count = argc == 3 ? atoi(argv[2]) : 0, joined = 0;
    char byte;

    if (count == 0 || pipe(told) != 0)
        return 2;
    for (int n = 0; n < count; n++) {
        switch (fork()) {
        case -1:
            return 1;
        case 0:
            byte = member(argv[1]);
            if (write(told[1], &byte, 1) != 1)
                return 1;
            /* Events are not read: what does not fit into the queue is corosync's to drop. */
            return read(STDIN_FILENO, &byte, 1) != 0;
        }
    }
    for (int n = 0; n < count; n++)
        joined += read(told[0], &byte, 1) == 1 && byte == CS_OK;
    printf("%d joined\n", joined);
    fflush(stdout);
    return read(STDIN_FILENO, &byte, 1) != 0;
}
