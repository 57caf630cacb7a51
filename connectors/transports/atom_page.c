#include "connectors/transports/atom_page.h"

#include <string.h>

static enum hub_status judge(const struct hub_http_answer *answer, const char *address,
                             bool conditional, struct hub_error *reterr) {
    if (answer->status == 200 || (answer->status == 304 && conditional))
        return HUB_OK;
    if (hub_access_is_busy(answer->status))
        return hub_fail(reterr, HUB_RETRY, "%s: HTTP %ld", address, answer->status);
    return hub_fail(reterr, HUB_FATAL, "%s: HTTP %ld; 200 would pass", address, answer->status);
}

/* `reference` as an address, or NULL where there is none. */
static enum hub_status follow(const char *address, const char *reference, struct hub_arena *arena,
                              const char **ret_url, struct hub_error *reterr) {
    *ret_url = NULL;
    if (reference == NULL)
        return HUB_OK;
    return hub_http_follow(address, reference, arena, ret_url, reterr) == HUB_OK ? HUB_OK
                                                                                 : HUB_FATAL;
}

static enum hub_status read_page(const struct hub_atom_asking *asking,
                                 const struct hub_http_answer *answer, struct hub_arena *arena,
                                 struct hub_atom_page *page, struct hub_error *reterr) {
    struct hub_error inner;
    enum hub_status status = hub_atom_read(answer->body, asking->newest_first,
                                           asking->only_content, arena, &page->feed, &inner);
    if (status != HUB_OK)
        return hub_fail(reterr, status, "%s: %s", page->address, inner.text);
    page->changed = true;
    page->etag = answer->etag;
    page->modified = answer->last_modified;
    struct hub_digest digest = hub_atom_digest(&page->feed);
    hub_digest_text(&digest, HUB_DIGEST_SIZE, page->digest);
    status = follow(page->address, page->feed.prev_archive, arena, &page->prev, reterr);
    if (status == HUB_OK)
        status = follow(page->address, page->current ? page->feed.via : NULL, arena, &page->home,
                        reterr);
    if (page->home == NULL)
        page->home = page->address;
    if (status != HUB_OK)
        hub_atom_page_free(page);
    return status;
}

enum hub_status hub_atom_fetch(struct hub_access *access, const struct hub_atom_asking *asking,
                               struct hub_batch *batch, struct hub_atom_page *ret_page,
                               struct hub_error *reterr) {
    struct hub_arena *arena = &batch->arena;
    struct hub_atom_page page = {
        .address = hub_arena_text(arena, asking->address, strlen(asking->address)),
        .current = asking->current};
    struct hub_access_request request = {.url = page.address};
    struct hub_http_answer answer = {0};
    size_t count = 0;
    if (asking->etag != NULL)
        request.headers[count++] = hub_arena_format(arena, "If-None-Match: %s", asking->etag);
    if (asking->modified != NULL)
        request.headers[count++] =
            hub_arena_format(arena, "If-Modified-Since: %s", asking->modified);
    enum hub_status status = hub_access_ask(access, &request, arena, &answer, reterr);
    if (status == HUB_REJECT) /* what is in it can neither be read nor left out */
        status = HUB_FATAL;
    batch->retry_after_ms = answer.retry_after_ms;
    HUB_TRY(status);
    HUB_TRY(judge(&answer, page.address, count > 0, reterr));
    if (answer.status == 200)
        HUB_TRY(read_page(asking, &answer, arena, &page, reterr));
    *ret_page = page;
    return HUB_OK;
}

void hub_atom_page_free(struct hub_atom_page *page) {
    hub_atom_free(&page->feed);
}
