#include "hub/io/sftp_client.h"

#include "hub/io/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* After our own limits: libcurl 7.88 leaks a session whose time it has ended itself. */
enum { GRACE_MS = 2000 };

struct hub_sftp_client {
    const struct hub_sftp_access *access;
    CURLM *multi; /* keeps the connection */
    CURL *handle;
    curl_socket_t socket; /* of the connection, or CURL_SOCKET_BAD */
    bool is_new; /* it has not shown its key yet */
    enum curl_khmatch match; /* what the known hosts say of the server's key */
    bool was_late; /* the last answer did not come in time */
    char why[CURL_ERROR_SIZE];
};

/* --- addresses --- */

static bool has_part(CURLU *address, CURLUPart part) {
    char *text = NULL;
    bool has = curl_url_get(address, part, &text, 0) == CURLUE_OK && *text != '\0';
    curl_free(text);
    return has;
}

static bool leads_up(const char *path) {
    for (const char *at = path; (at = strstr(at, "/..")) != NULL; at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

static bool is_folder(CURLU *address) {
    char *scheme = NULL, *path = NULL;
    bool is = curl_url_get(address, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              strcmp(scheme, "sftp") == 0 && has_part(address, CURLUPART_USER) &&
              !has_part(address, CURLUPART_QUERY) && !has_part(address, CURLUPART_FRAGMENT) &&
              curl_url_get(address, CURLUPART_PATH, &path, CURLU_URLDECODE) == CURLUE_OK &&
              !leads_up(path);
    curl_free(scheme);
    curl_free(path);
    return is;
}

enum hub_status hub_sftp_check_address(const char *address, struct hub_error *reterr) {
    CURLU *parts = hub_need(curl_url());
    bool valid = curl_url_set(parts, CURLUPART_URL, address, CURLU_PATH_AS_IS) == CURLUE_OK;
    bool tells = valid && has_part(parts, CURLUPART_PASSWORD);
    bool is = valid && !tells && is_folder(parts);
    curl_url_cleanup(parts);
    if (is)
        return HUB_OK;
    if (tells || !valid) /* what it is may be a secret's part */
        return hub_fail(reterr, HUB_FATAL,
                        "an address %s; sftp://USER@HOST[:PORT]/FOLDER would pass",
                        tells ? "with a password in it" : "that is none");
    return hub_fail(reterr, HUB_FATAL, "%s: sftp://USER@HOST[:PORT]/FOLDER would pass", address);
}

/* --- the connection --- */

enum hub_status hub_sftp_client_new(const struct hub_sftp_access *access,
                                    struct hub_sftp_client **ret_client,
                                    struct hub_error *reterr) {
    struct hub_sftp_client *client = hub_allocate_zero(1, sizeof *client);
    client->access = access;
    client->socket = CURL_SOCKET_BAD;
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, hub_allocate, free, hub_reallocate,
                             hub_copy_text, hub_allocate_zero) != CURLE_OK ||
        (client->multi = curl_multi_init()) == NULL ||
        (client->handle = curl_easy_init()) == NULL) {
        hub_sftp_client_free(client);
        return hub_fail(reterr, HUB_FATAL, "libcurl cannot be started");
    }
    *ret_client = client;
    return HUB_OK;
}

/* libssh2 says goodbye and waits for an answer, which a server that hangs does not give. */
static void cut(struct hub_sftp_client *client) {
    if (client->socket != CURL_SOCKET_BAD)
        shutdown(client->socket, SHUT_RDWR);
}

void hub_sftp_client_free(struct hub_sftp_client *client) {
    if (client == NULL)
        return;
    cut(client);
    curl_easy_cleanup(client->handle);
    curl_multi_cleanup(client->multi);
    hub_release(client);
}

static bool is_stopping(const struct hub_sftp_client *client) {
    return client->access->is_stopping != NULL && client->access->is_stopping();
}

static int on_socket(void *context, curl_socket_t socket, curlsocktype purpose) {
    struct hub_sftp_client *client = context;
    (void)purpose;
    client->socket = socket;
    client->is_new = true;
    return CURL_SOCKOPT_OK;
}

static int on_close(void *context, curl_socket_t socket) {
    struct hub_sftp_client *client = context;
    if (client->socket == socket)
        client->socket = CURL_SOCKET_BAD;
    return close(socket);
}

static int on_key(CURL *handle, const struct curl_khkey *known, const struct curl_khkey *found,
                  enum curl_khmatch match, void *context) {
    struct hub_sftp_client *client = context;
    (void)handle;
    (void)known;
    (void)found;
    client->match = match;
    client->is_new = false;
    return match == CURLKHMATCH_OK ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT;
}

/* Asked also where libcurl waits by itself, which ends when the connection does. */
static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up) {
    struct hub_sftp_client *client = context;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    if (is_stopping(client))
        cut(client);
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    struct hub_buffer *buffer = context;
    hub_buffer_append(buffer, data, size * count);
    return hub_buffer_overflowed(buffer) ? 0 : size * count;
}

/* --- one answer --- */

static bool configure_limits(CURL *handle, const struct hub_sftp_access *access) {
    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "sftp") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)access->connect_timeout_ms + GRACE_MS) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)access->timeout_ms + GRACE_MS) ==
               CURLE_OK;
}

/* libcurl would try keys of its own finding, too. */
static bool configure_login(CURL *handle, const struct hub_sftp_access *access) {
    long ways = access->key != NULL ? CURLSSH_AUTH_PUBLICKEY
                                    : CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD;
    return curl_easy_setopt(handle, CURLOPT_SSH_KNOWNHOSTS, access->known_hosts) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSH_KEYFUNCTION, on_key) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSH_AUTH_TYPES, ways) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSH_PRIVATE_KEYFILE, access->key) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_KEYPASSWD, access->key_passphrase) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PASSWORD, access->password) == CURLE_OK;
}

static bool configure(struct hub_sftp_client *client, const char *address,
                      struct hub_buffer *buffer, bool with_facts) {
    CURL *handle = client->handle;
    curl_easy_reset(handle);
    client->why[0] = '\0';
    client->match = CURLKHMATCH_OK;
    client->is_new = false;
    return configure_limits(handle, client->access) && configure_login(handle, client->access) &&
           curl_easy_setopt(handle, CURLOPT_URL, address) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSH_KEYDATA, client) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, on_socket) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, client) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, client) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_XFERINFODATA, client) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, client->why) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_FILETIME, with_facts ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOBODY, buffer == NULL ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, buffer) == CURLE_OK;
}

/* What an answer has come to. */
struct watch {
    int64_t began_ms, slow_since_ms;
    curl_off_t slow_from; /* bytes that had come then */
};

static bool is_slow(const struct hub_sftp_client *client, struct watch *watch, int64_t now_ms) {
    int64_t slow_s = client->access->slow_s;
    curl_off_t bytes = 0;
    if (now_ms - watch->slow_since_ms < slow_s * 1000)
        return false;
    curl_easy_getinfo(client->handle, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    bool slow = bytes - watch->slow_from < slow_s * HUB_SFTP_SPEED_MIN;
    watch->slow_since_ms = now_ms;
    watch->slow_from = bytes;
    return slow;
}

/* Why nobody should wait any longer, or NULL. */
static const char *why_end(const struct hub_sftp_client *client, struct watch *watch) {
    const struct hub_sftp_access *access = client->access;
    int64_t now_ms = hub_clock_monotonic_ms(), took_ms = now_ms - watch->began_ms;
    if (took_ms >= access->timeout_ms)
        return "it timed out as a whole";
    bool is_connecting = client->socket == CURL_SOCKET_BAD || client->is_new;
    if (is_connecting && took_ms >= access->connect_timeout_ms)
        return "it timed out while it was connected to";
    return is_slow(client, watch, now_ms) ? "it timed out, as it was too slow" : NULL;
}

/* CURLE_ABORTED_BY_CALLBACK: this process is to stop. */
static CURLcode run(struct hub_sftp_client *client) {
    struct watch watch = {.began_ms = hub_clock_monotonic_ms(),
                          .slow_since_ms = hub_clock_monotonic_ms()};
    for (int running = 0, left = 0;;) {
        curl_multi_perform(client->multi, &running);
        CURLMsg *message = curl_multi_info_read(client->multi, &left);
        if (message != NULL)
            return message->data.result;
        const char *why = why_end(client, &watch);
        bool stops = is_stopping(client);
        if (why != NULL || stops) {
            cut(client);
            snprintf(client->why, sizeof client->why, "%s",
                     stops ? "given up, as this process is to stop" : why);
            return stops ? CURLE_ABORTED_BY_CALLBACK : CURLE_OPERATION_TIMEDOUT;
        }
        curl_multi_poll(client->multi, NULL, 0, HUB_SFTP_LOOK_MS, NULL);
    }
}

static enum hub_sftp_result fail(enum hub_sftp_result result, const char *address,
                                 const char *why, struct hub_error *reterr) {
    hub_fail(reterr, HUB_RETRY, "%s: %s", address, why);
    return result;
}

static enum hub_sftp_result refuse_key(const struct hub_sftp_client *client, const char *address,
                                       struct hub_error *reterr) {
    const char *known = client->access->known_hosts;
    hub_fail(reterr, HUB_FATAL,
             client->match == CURLKHMATCH_MISMATCH
                 ? "%s: the server's key is not the one that %s has of it, so that nobody knows "
                   "who answers; its line, where its keeper says that the key was changed, would pass"
                 : "%s: the server's key is not in %s; the line that its keeper gives, as "
                   "ssh-keyscan writes it, would pass",
             address, known);
    return HUB_SFTP_REFUSED;
}

/* One answer that does not come may be that file's fault; of two the server is to blame. */
static enum hub_sftp_result judge(struct hub_sftp_client *client, CURLcode code,
                                  const char *address, const struct hub_buffer *buffer,
                                  struct hub_error *reterr) {
    const char *why = client->why[0] != '\0' ? client->why : curl_easy_strerror(code);
    bool late_again = client->was_late;
    client->was_late = code == CURLE_OPERATION_TIMEDOUT;
    if (buffer != NULL && hub_buffer_overflowed(buffer)) {
        hub_fail(reterr, HUB_REJECT, "%s: over the limit of %zu bytes", address, buffer->size_max);
        return HUB_SFTP_TOO_LARGE;
    }
    switch (code) {
    case CURLE_OK:
        return HUB_SFTP_OK;
    case CURLE_REMOTE_FILE_NOT_FOUND:
        return fail(HUB_SFTP_GONE, address, why, reterr);
    case CURLE_REMOTE_ACCESS_DENIED:
    case CURLE_SSH:
        return fail(HUB_SFTP_DENIED, address, why, reterr);
    case CURLE_OPERATION_TIMEDOUT:
        return fail(late_again ? HUB_SFTP_AWAY : HUB_SFTP_DENIED, address, why, reterr);
    case CURLE_PEER_FAILED_VERIFICATION:
        return refuse_key(client, address, reterr);
    case CURLE_LOGIN_DENIED:
        hub_fail(reterr, HUB_FATAL, "%s: %s; a %s that the server knows of would pass", address,
                 why, client->access->key != NULL ? "key" : "password");
        return HUB_SFTP_REFUSED;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return fail(HUB_SFTP_REFUSED, address, why, reterr);
    default:
        return fail(HUB_SFTP_AWAY, address, why, reterr);
    }
}

/* `buffer` NULL: only the facts. */
static enum hub_sftp_result ask(struct hub_sftp_client *client, const char *address,
                                struct hub_buffer *buffer, struct hub_sftp_facts *ret_facts,
                                struct hub_error *reterr) {
    CURLcode code = CURLE_URL_MALFORMAT;
    char why[CURL_ERROR_SIZE];
    if (configure(client, address, buffer, ret_facts != NULL) &&
        curl_multi_add_handle(client->multi, client->handle) == CURLM_OK) {
        code = run(client);
        memcpy(why, client->why, sizeof why); /* before what is said of the end of a connection */
        curl_multi_remove_handle(client->multi, client->handle);
        memcpy(client->why, why, sizeof why);
    }
    enum hub_sftp_result result = judge(client, code, address, buffer, reterr);
    if (result == HUB_SFTP_OK && ret_facts != NULL) {
        curl_off_t size = 0, time = -1;
        curl_easy_getinfo(client->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
        curl_easy_getinfo(client->handle, CURLINFO_FILETIME_T, &time);
        *ret_facts = (struct hub_sftp_facts){.size = size > 0 ? (uint64_t)size : 0,
                                             .modified_s = time};
    }
    return result;
}

enum hub_sftp_result hub_sftp_list(struct hub_sftp_client *client, const char *address,
                                   struct hub_buffer *buffer, struct hub_error *reterr) {
    return ask(client, address, buffer, NULL, reterr);
}

enum hub_sftp_result hub_sftp_look(struct hub_sftp_client *client, const char *address,
                                   struct hub_sftp_facts *ret_facts, struct hub_error *reterr) {
    return ask(client, address, NULL, ret_facts, reterr);
}

enum hub_sftp_result hub_sftp_read(struct hub_sftp_client *client, const char *address,
                                   struct hub_buffer *buffer, struct hub_sftp_facts *ret_facts,
                                   struct hub_error *reterr) {
    return ask(client, address, buffer, ret_facts, reterr);
}
