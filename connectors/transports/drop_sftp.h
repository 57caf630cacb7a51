/* What file-drop is told of SFTP servers: one set of options for all folders of a connector. */
#pragma once

#include "connectors/kit/options.h"

struct hub_drop_sftp_options {
    const char *known_hosts, *key, *key_passphrase, *password;
    int64_t settle_ms, connect_timeout_ms, timeout_ms, slow_s;
};

/* Rows of an option table, for a structure with such a member. */
#define HUB_DROP_SFTP_OPTIONS(structure, sftp)                                                     \
    {.name = "sftp_known_hosts",                                                                   \
     HUB_TEXT_OPTION(structure, sftp.known_hosts),                                                 \
     .help = "The file, as of ssh, that has the servers' keys: one that is unknown or changed "    \
             "is refused."},                                                                       \
    {.name = "sftp_key",                                                                           \
     HUB_TEXT_OPTION(structure, sftp.key),                                                         \
     .help = "The file with the private key to log in with: Ed25519 or ECDSA."},                   \
    {.name = "sftp_key_passphrase",                                                                \
     HUB_TEXT_OPTION(structure, sftp.key_passphrase),                                              \
     .secret = true,                                                                               \
     .help = "What opens sftp_key, where it is locked: ${env:NAME} or ${file:/path}."},            \
    {.name = "sftp_password",                                                                      \
     HUB_TEXT_OPTION(structure, sftp.password),                                                    \
     .secret = true,                                                                               \
     .help = "What to log in with instead of a key: ${env:NAME} or ${file:/path}."},               \
    {.name = "sftp_settle_ms",                                                                     \
     HUB_NUMBER_OPTION(structure, sftp.settle_ms),                                                 \
     .initial = "5000",                                                                            \
     .maximum = 3600000,                                                                           \
     .help = "A file on a server that has not been seen unchanged for so long is still being "     \
             "written, in milliseconds: its clock is not believed."},                              \
    {.name = "sftp_connect_timeout_ms",                                                            \
     HUB_NUMBER_OPTION(structure, sftp.connect_timeout_ms),                                        \
     .initial = "10000",                                                                           \
     .minimum = 100,                                                                               \
     .maximum = 600000,                                                                            \
     .help = "For reaching the server, until it shows its key, in milliseconds."},                 \
    {.name = "sftp_timeout_ms",                                                                    \
     HUB_NUMBER_OPTION(structure, sftp.timeout_ms),                                                \
     .initial = "300000",                                                                          \
     .minimum = 100,                                                                               \
     .maximum = 3600000,                                                                           \
     .help = "For one file or listing as a whole, in milliseconds."},                              \
    {.name = "sftp_slow_s",                                                                        \
     HUB_NUMBER_OPTION(structure, sftp.slow_s),                                                    \
     .initial = "30",                                                                              \
     .minimum = 1,                                                                                 \
     .maximum = 3600,                                                                              \
     .help = "For so many seconds a file or listing may come slower than 128 bytes a second."}

/* Whether a folder of the configuration is one of a server. */
bool hub_drop_is_sftp(const char *folder);

/* What the table cannot say. HUB_FATAL. */
HUB_MUST_USE enum hub_status hub_drop_sftp_check(const struct hub_drop_sftp_options *options,
                                                 const char *const *folders,
                                                 struct hub_error *reterr);
