/* A web server of a test's own on the loopback address: it gives scripted answers in their order,
 * and keeps what it was asked. Where several are asked at a time they are numbered as their answers
 * were given. */
#pragma once

#include "hub/base/bytes.h"

struct web_answer {
    unsigned status; /* 0: the connection is left without an answer until the server stops */
    const char *body;
    /* "Name: value", NULL-ended. What is no header: "!size N" of a body with zero bytes, "!endless"
     * where it comes again and again, "!stalls" where more is promised and never comes. */
    const char *headers[8];
};

struct web;

/* The answers must outlive the server. Past their end it answers 500. */
struct web *web_start(const struct web_answer *answers, size_t count);
void web_stop(struct web *web);
/* Whoever asks for that path is given the answer, which is copied, from now on and whatever the
 * script says; NULL: no longer. */
void web_route(struct web *web, const char *path, const struct web_answer *answer);

/* http://127.0.0.1:PORT, and the same with a path. They live as long as the server. */
const char *web_url(struct web *web, const char *path);

size_t web_asked(struct web *web);
/* The target of a request, with its query, from 0; what was not asked is "". */
const char *web_target(struct web *web, size_t index);
const char *web_method(struct web *web, size_t index);
const char *web_body(struct web *web, size_t index);
/* A header of a request, or NULL. */
const char *web_header(struct web *web, size_t index, const char *name);
