/* What the fuzz targets share. Each target is one file NAME_fuzz.c with one function, which is
 * given any bytes (libFuzzer, LLVM 14) and must find every claim it makes about them to hold.
 *
 * What is found is kept as a file in corpus/NAME, which every run of the tests feeds again. */
#pragma once

#include "hub/base/bytes.h"
#include "schemas/lib/catalogue.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, and so makes a finding, where the claim does not hold. */
#define fuzz_must(claim) ((claim) ? (void)0 : fuzz_stop(__FILE__, __LINE__, #claim))
_Noreturn void fuzz_stop(const char *file, int line, const char *why);

/* The project's schemas (HUB_SCHEMAS, else schemas), loaded once and kept. */
const struct hub_catalogue *fuzz_catalogue(void);

/* The input, cut into parts. Past its end there are zeros and empty pieces. */
struct fuzz_input {
    struct hub_cursor cursor;
    struct hub_arena arena; /* for what lives as long as the input */
    void **pieces;
    size_t piece_count, piece_capacity;
};

struct fuzz_input fuzz_input(const uint8_t *data, size_t size);
void fuzz_input_free(struct fuzz_input *input);
bool fuzz_input_ended(const struct fuzz_input *input);
uint8_t fuzz_byte(struct fuzz_input *input);
/* Bytes with their length before them (two bytes, the first the lower), or all that is left. They
 * are copied into memory of exactly their size, so that the sanitizer sees a byte read beyond. */
struct hub_bytes fuzz_piece(struct fuzz_input *input);
struct hub_bytes fuzz_rest(struct fuzz_input *input);
struct hub_bytes fuzz_exact(struct fuzz_input *input, struct hub_bytes bytes);
/* As a text that a zero byte ends; one in the bytes ends it sooner. */
const char *fuzz_text(struct fuzz_input *input, struct hub_bytes bytes);

/* The bytes are an accepted value of the type. */
bool fuzz_accepts(const struct hub_type *type, struct hub_bytes bytes, bool *ret_canonical);
/* The message is framed, and an accepted canonical value of the schema that its id names. */
bool fuzz_is_record(struct hub_bytes message);

/* A document in one of the connectors' formats: the tree of what is read has only texts that a
 * path can give whole, and rows that stand in the document one after the other. */
void fuzz_format(const char *name, const char *options, struct hub_bytes document);
