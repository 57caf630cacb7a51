/* Folders of an SFTP server, by libcurl: listed and read, never changed.
 *
 *
 * The server must prove the key that a known_hosts file (sshd(8)) has of it; there is no first
 * time that is believed. Every limit is set. Where libssh2 is older than 1.11, as Debian 12's
 * is, keys of both sides must be Ed25519 or ECDSA: RSA is signed with SHA-1 then, which servers
 * refuse. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

/* Who one is, whom one believes, and for how long one waits. */
struct hub_sftp_access {
    const char *known_hosts;         /* a file */
    const char *key, *key_passphrase; /* a private key's file; either NULL */
    const char *password;            /* where there is no key */
    int64_t connect_timeout_ms;
    int64_t timeout_ms;  /* of one answer as a whole */
    int64_t slow_s;      /* so long an answer may come slower than HUB_SFTP_SPEED_MIN */
    bool (*is_stopping)(void); /* asked every HUB_SFTP_LOOK_MS, gives up what runs; may be NULL */
};

enum { HUB_SFTP_SPEED_MIN = 128 /* bytes a second */, HUB_SFTP_LOOK_MS = 250 };

enum hub_sftp_result {
    HUB_SFTP_OK,
    HUB_SFTP_GONE,       /* there is no such file */
    HUB_SFTP_DENIED,     /* it cannot be read */
    HUB_SFTP_TOO_LARGE,
    HUB_SFTP_AWAY,       /* the server cannot be reached, or this process is to stop */
    HUB_SFTP_REFUSED,    /* the server's key or its answer to ours: a person must act */
};

struct hub_sftp_facts {
    uint64_t size;      /* 0 where it is not told */
    int64_t modified_s; /* since 1970-01-01T00:00:00Z, by the server's clock; -1 where not told */
};

struct hub_sftp_client;

/* Whether an address is sftp://USER@HOST[:PORT]/FOLDER, without a password. HUB_FATAL; the
 * reason does not repeat one that has a password. */
HUB_MUST_USE enum hub_status hub_sftp_check_address(const char *address, struct hub_error *reterr);

/* `access` must outlive the client. */
HUB_MUST_USE enum hub_status hub_sftp_client_new(const struct hub_sftp_access *access,
                                                 struct hub_sftp_client **ret_client,
                                                 struct hub_error *reterr);
void hub_sftp_client_free(struct hub_sftp_client *client); /* NULL is fine; never waits */

/* Appends what a folder has, a line for each as `ls -l` writes it: the address ends in /. Only what
 * the server sends; of a name with a line break in it there are two lines. */
HUB_MUST_USE enum hub_sftp_result hub_sftp_list(struct hub_sftp_client *client,
                                                const char *address, struct hub_buffer *buffer,
                                                struct hub_error *reterr);

/* Opens the file and asks for its facts. A symbolic link is followed by the server. */
HUB_MUST_USE enum hub_sftp_result hub_sftp_look(struct hub_sftp_client *client,
                                                const char *address,
                                                struct hub_sftp_facts *ret_facts,
                                                struct hub_error *reterr);

/* Appends the file as far as it went when it was opened, up to the buffer's size_max; the facts are
 * those of that moment. */
HUB_MUST_USE enum hub_sftp_result hub_sftp_read(struct hub_sftp_client *client,
                                                const char *address, struct hub_buffer *buffer,
                                                struct hub_sftp_facts *ret_facts,
                                                struct hub_error *reterr);
