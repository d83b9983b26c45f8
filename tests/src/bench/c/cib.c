/*
 * The CIB through libcib: what the benchmark's queries, changes and events are held against.
 *
 *   cib signon TIMES | query TIMES | xquery TIMES | modify TIMES | batch TIMES VALUES | status TIMES
 *   cib watch        prints the time of each change, and its patch set when DUMP is set
 *
 * All but the last print "median N us".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include <crm/cib.h>
#include <crm/common/mainloop.h>
#include <crm/common/xml.h>

static double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static cib_t *sign_on(enum cib_conn_type type)
{
    cib_t *cib = cib_new();

    if (cib == NULL || cib->cmds->signon(cib, "bench-c", type) != 0) {
        fprintf(stderr, "cannot sign on\n");
        exit(1);
    }
    return cib;
}

static void sign_off(cib_t *cib)
{
    cib->cmds->signoff(cib);
    cib_delete(cib);
}

static int query(cib_t *cib, const char *what, int options)
{
    xmlNode *answer = NULL;
    int result = cib->cmds->query(cib, what, &answer, cib_sync_call | cib_scope_local | options);

    free_xml(answer);
    return result;
}

static int change_values(cib_t *cib, int count, const char *value)
{
    xmlNode *section = create_xml_node(NULL, "crm_config");
    xmlNode *set = create_xml_node(section, "cluster_property_set");
    char name[32];
    int result;

    crm_xml_add(set, "id", "pf-bench");
    for (int i = 0; i < count; i++) {
        xmlNode *pair = create_xml_node(set, "nvpair");

        snprintf(name, sizeof(name), "pf-v-%d", i);
        crm_xml_add(pair, "id", name);
        crm_xml_add(pair, "name", name);
        crm_xml_add(pair, "value", value);
    }
    result = cib->cmds->modify(cib, "crm_config", section, cib_sync_call);
    free_xml(section);
    return result;
}

static int change_status(cib_t *cib, const char *value)
{
    xmlNode *section = create_xml_node(NULL, "status");
    xmlNode *state = create_xml_node(section, "node_state");
    int result;

    crm_xml_add(state, "id", "1");
    crm_xml_add(state, "pf-bench", value);
    result = cib->cmds->modify(cib, "status", section, cib_sync_call);
    free_xml(section);
    return result;
}

static void changed(const char *event, xmlNode *message)
{
    char *patch = getenv("DUMP") ? dump_xml_unformatted(message) : NULL;

    printf("%.6f changed %s\n", now(CLOCK_REALTIME), patch ? patch : "");
    fflush(stdout);
    free(patch);
}

static void watch(void)
{
    cib_t *cib = sign_on(cib_query);

    cib->cmds->add_notify_callback(cib, "cib_diff_notify", changed);
    printf("%.6f ready\n", now(CLOCK_REALTIME));
    fflush(stdout);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    const char *mode = count > 1 ? arguments[1] : "";
    int times = count > 2 ? atoi(arguments[2]) : 0;
    int values = count > 3 ? atoi(arguments[3]) : 1;
    int own = strcmp(mode, "signon") == 0;
    double *took = calloc(times + 1, sizeof(double));
    cib_t *cib;
    char value[64];

    if (strcmp(mode, "watch") == 0)
        watch();
    if (times < 1)
        return 2;
    cib = own ? NULL : sign_on(cib_command);
    for (int i = 0; i < times; i++) {
        double start = now(CLOCK_MONOTONIC);
        int result = 0;

        /* No value is the one of an earlier run. */
        snprintf(value, sizeof(value), "%.0f-%d", start * 1e6, i);
        if (own)
            sign_off(sign_on(cib_command));
        else if (strcmp(mode, "query") == 0)
            result = query(cib, NULL, 0);
        else if (strcmp(mode, "xquery") == 0)
            result = query(cib, "//nvpair[@name='stonith-enabled']", cib_xpath);
        else if (strcmp(mode, "modify") == 0 || strcmp(mode, "batch") == 0)
            result = change_values(cib, values, value);
        else if (strcmp(mode, "status") == 0)
            result = change_status(cib, value);
        else
            return 2;
        took[i] = now(CLOCK_MONOTONIC) - start;
        if (result != 0) {
            fprintf(stderr, "%s %d of %d: %d\n", mode, i + 1, times, result);
            return 1;
        }
    }
    qsort(took, times, sizeof(double), ascending);
    printf("%s median %.0f us\n", mode, took[times / 2] * 1e6);
    if (cib != NULL)
        sign_off(cib);
    return 0;
}
