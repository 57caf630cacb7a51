/* `connector witness`: an institution's word that an archive told it no other history (hub/archive/witness.h). */
#pragma once

struct witnessing {
    const char *name;   /* such as sus.example/witness: what its key is named by */
    const char *key;    /* the private key's file, as `openssl genpkey -algorithm ed25519` writes it */
    const char *logs;   /* the file with the logs' keys, one a line; NULL: only its own key is printed */
    const char *listen; /* HOST:PORT */
    const char *state_folder; /* where it remembers, in a folder `witness` */
};

/* Prints its key, and cosigns until SIGTERM or SIGINT. An exit code of the program: 0, or 1 with a word on
 * standard error. */
int witness_run(const struct witnessing *witnessing);
