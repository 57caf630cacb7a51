#include "hub/archive/guide.h"

#include "hub/io/file.h"

/* A file of this folder, as it is, with its size after it. */
#define INCLUDE(name, file)                                                                        \
    __asm__(".pushsection .rodata\n"                                                               \
            "hub_guide_" #name ":\n.incbin \"" HUB_GUIDE_FOLDER "/" file "\"\n"                    \
            "hub_guide_" #name "_end:\n.balign 8\n"                                                \
            "hub_guide_" #name "_size:\n.quad hub_guide_" #name "_end - hub_guide_" #name "\n"     \
            ".global hub_guide_" #name ", hub_guide_" #name "_size\n.popsection\n");               \
    extern const uint8_t hub_guide_##name[];                                                       \
    extern const uint64_t hub_guide_##name##_size

INCLUDE(format, "FORMAT.md");
INCLUDE(verify, "verify.sh");

static enum hub_status write_once(const char *folder, const char *name, struct hub_bytes bytes,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER path = {0}, found = {.size_max = bytes.size};
    struct hub_error ignored;
    hub_buffer_append_format(&path, "%s/%s", folder, name);
    if (hub_file_read(hub_buffer_text(&path), &found, &ignored) == HUB_OK &&
        hub_bytes_equal(hub_buffer_bytes(&found), bytes))
        return HUB_OK;
    return hub_file_write(hub_buffer_text(&path), bytes, reterr);
}

enum hub_status hub_archive_write_guide(const char *folder, struct hub_error *reterr) {
    HUB_TRY(write_once(folder, "FORMAT.md",
                       hub_bytes(hub_guide_format, (size_t)hub_guide_format_size), reterr));
    return write_once(folder, "verify.sh",
                      hub_bytes(hub_guide_verify, (size_t)hub_guide_verify_size), reterr);
}
